/**
 * For suites whose tests build on each other: after one that fails, the others of the suite do not run. mocha's own
 * `bail` would also keep a suite from running after a failure in any other file.
 */
export function inOrder(): void {
  let failed: string | undefined;
  beforeEach(() => {
    if (failed !== undefined) throw new Error(`not run, because this failed: ${failed}`);
  });
  afterEach(function () {
    if (this.currentTest?.state === "failed") failed = this.currentTest.title;
  });
}
