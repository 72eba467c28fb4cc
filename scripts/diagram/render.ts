import { instance } from "@viz-js/viz";
import { registrations } from "../../test/mocks/registrations";
import { architectureDot } from "./dot";

/** The pictures of docs/, by file name, with the settings that they show. */
export const pictures: Readonly<Record<string, { stack: string; config: Record<string, string> }>> = {
  "architecture.svg": { stack: "dev", config: { domain: "dev.foobar.com" } },
  "architecture-separated.svg": {
    stack: "prod",
    config: { domain: "foobar.com", environment: "production", monitoring: "none" },
  },
};

/** The picture of a stack as SVG, made from what the program registers. */
export async function renderPicture(stack: string, config: Record<string, string>): Promise<string> {
  const graph = architectureDot(await registrations(stack, config));
  const viz = await instance();
  return viz.renderString(graph, { format: "svg", engine: "dot" });
}
