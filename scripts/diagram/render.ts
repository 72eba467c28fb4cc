import { registrations } from "../../test/mocks/registrations";
import { architectureOf } from "./architecture";
import { layout } from "./layout";
import { svgOf } from "./svg";

const datadog = JSON.stringify({ apiKey: "0".repeat(32), appKey: "0".repeat(40) });

/** The pictures of docs/, by file name, with the settings that they show. */
export const pictures: Readonly<Record<string, { stack: string; config: Record<string, string> }>> = {
  "architecture.svg": { stack: "dev", config: { domain: "dev.foobar.com", monitoring: "datadog", datadog } },
  "architecture-separated.svg": {
    stack: "prod",
    config: { domain: "foobar.com", environment: "production", datadog },
  },
};

/** The picture of a stack as SVG, drawn from the resources that the program registers. */
export async function renderPicture(stack: string, config: Record<string, string>): Promise<string> {
  return svgOf(layout(architectureOf(await registrations(stack, config))));
}
