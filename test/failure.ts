import assert from "node:assert/strict";
import { Failure } from "../sandbox/index";

/** For assert.throws and assert.rejects: a Failure with this message, exit code and remedy. */
export const failure = (message: RegExp, exitCode: number, remedy?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.match(error.message, message);
  assert.equal(error.exitCode, exitCode);
  if (remedy) assert.match(error.remedy ?? "", remedy);
  return true;
};
