/** The current time in DigitalOcean's format: UTC, whole seconds. */
export const timestamp = (date = new Date()): string => `${date.toISOString().slice(0, 19)}Z`;
