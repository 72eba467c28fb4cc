export const CONTAINER_COMMAND: string;
export function wayToHosts(platform?: string, uid?: number): string | undefined;
