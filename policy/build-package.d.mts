/** Builds into `outDir` (`build/` of this folder, where none is given). */
export function buildPackage(outDir?: string): Promise<void>;
