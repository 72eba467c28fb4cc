/**
 * End of free security updates for distribution releases, by the prefix of DigitalOcean's image slugs. As of
 * 2026-11-21.
 *
 * Sources: ubuntu.com/about/release-cycle; wiki.debian.org/LTS (for Debian, the end of its LTS);
 * endoflife.date/centos-stream, /rocky-linux, /almalinux, /fedora.
 */
const ends: ReadonlyMap<string, string> = new Map([
  ["ubuntu-16-04", "2021-04-30"],
  ["ubuntu-18-04", "2023-05-31"],
  ["ubuntu-20-04", "2025-05-31"],
  ["ubuntu-22-04", "2027-04-30"],
  ["ubuntu-24-04", "2029-04-30"],
  ["ubuntu-24-10", "2025-07-10"],
  ["ubuntu-25-04", "2026-01-15"],
  ["ubuntu-25-10", "2026-07-31"],
  ["ubuntu-26-04", "2031-04-30"],
  ["debian-9", "2022-06-30"],
  ["debian-10", "2024-06-30"],
  ["debian-11", "2026-08-31"],
  ["debian-12", "2028-06-30"],
  ["debian-13", "2030-06-30"],
  ["centos-7", "2024-06-30"],
  ["centos-8", "2021-12-31"],
  ["centos-stream-8", "2024-05-31"],
  ["centos-stream-9", "2027-05-31"],
  ["centos-stream-10", "2030-01-01"],
  ["rockylinux-8", "2029-05-31"],
  ["rockylinux-9", "2032-05-31"],
  ["rockylinux-10", "2035-05-31"],
  ["almalinux-8", "2029-03-01"],
  ["almalinux-9", "2032-05-31"],
  ["almalinux-10", "2035-05-31"],
  ["fedora-40", "2025-05-13"],
  ["fedora-41", "2025-12-15"],
  ["fedora-42", "2026-05-13"],
  ["fedora-43", "2026-12-02"],
]);

/** The end of support of an image, by its slug; undefined if the table does not contain it. */
export function endOfImage(slug: string): string | undefined {
  return ends.get(slug.toLowerCase().replace(/-x(64|32)$/, ""));
}
