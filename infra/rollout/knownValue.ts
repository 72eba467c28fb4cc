import type * as pulumi from "@pulumi/pulumi";

/** The value of an output that is known, as it is in a hook of a resource that depends on it. */
export function knownValue<T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => {
    output.apply((value) => resolve(value as pulumi.Unwrap<T>));
  });
}
