/** Reads the recipients of an alert. */
import { describeState } from "../evidence/host";
import { type Field, type Inputs, isFullyKnown } from "../frame/value";

/**
 * The reason why an alert does not reach anyone; undefined if it has a recipient. An alert's `alerts` and an uptime
 * alert's `notifications[]` contain `emails` and `slacks`.
 */
export function missingRecipients(notice: Inputs): string | undefined {
  const emails = notice.texts("emails");
  const slacks = notice.objects("slacks");
  if (
    hasText(emails) ||
    (slacks.state === "known" && slacks.value.some((slack) => slack.state === "known"))
  ) {
    return undefined;
  }
  for (const field of [emails, slacks]) {
    if (field.state === "mistyped" || field.state === "unknown" || !isFullyKnown<unknown>(field)) {
      return `its recipients are unknown: the value ${describeState(field)}`;
    }
  }
  return "it names no recipient";
}

function hasText(field: Field<readonly Field<string>[]>): boolean {
  return field.state === "known" && field.value.some((item) => item.state === "known" && item.value !== "");
}

/** True if an alert or a check is enabled; `enabled` is true unless it is set. */
export function isSwitchedOn(inputs: Inputs): boolean {
  const enabled = inputs.flag("enabled");
  return enabled.state === "absent" || (enabled.state === "known" && enabled.value);
}
