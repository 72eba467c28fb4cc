/**
 * True if tests that have a long form run in it. `npm test` has to end within 45 minutes, so it runs the short forms;
 * docs/measurements.md has the last result of the long ones.
 */
export const IS_LONG = process.env.SECURED_WEB_LONG_TESTS === "1";

/** `it` and `describe` for tests that are not in the short form at all. */
export const longIt = IS_LONG ? it : () => {};
export const longDescribe = IS_LONG ? describe : (_title: string, _suite: (this: Mocha.Suite) => void) => {};
