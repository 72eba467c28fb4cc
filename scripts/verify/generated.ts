import { configurationPage } from "../../infra/config/documentation";
import { generatedParts } from "../../policy/generated-parts";
import { pictures, renderPicture } from "../diagram/render";
import { PROJECT_DIR } from "../home";
import { architecturePage } from "./importTable";

/** A committed file that is generated from code. */
export interface GeneratedFile {
  /** Relative to the project's root. */
  readonly path: string;
  readonly content: string;
}

export function generatedPages(): GeneratedFile[] {
  return [
    { path: "docs/configuration.md", content: configurationPage() },
    { path: "docs/architecture.md", content: architecturePage(PROJECT_DIR) },
    ...generatedParts().map(({ path, content }) => ({ path: `policy/${path}`, content })),
  ];
}

export async function generatedPictures(): Promise<GeneratedFile[]> {
  const drawn: GeneratedFile[] = [];
  // One after another, because the program's mocks belong to this process.
  for (const [file, { stack, config }] of Object.entries(pictures)) {
    drawn.push({ path: `docs/${file}`, content: await renderPicture(stack, config) });
  }
  return drawn;
}
