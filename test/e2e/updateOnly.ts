/**
 * Updates a stack with the project's own program, without the preview that `npm run up` makes first, as `pulumi up
 * --skip-preview` does. Arguments: HOME STACK [KEY=VALUE...]. Ends with the failure's exit code, and its text on stderr.
 */
import { updateSandboxStack } from "./sandboxStack";

const [dir = "", stack = "", ...settings] = process.argv.slice(2);
void updateSandboxStack({ dir, stack, settings });
