/**
 * End of security updates for database engines, by DigitalOcean's engine and the version's prefix. As of 2026-11-30.
 *
 * Sources: endoflife.date/postgresql (postgresql.org/support/versioning), /mysql (Oracle's lifetime support policy),
 * /mongodb (mongodb.com/legal/support-policy), /redis, /valkey (valkey.io/topics/releases), /apache-kafka, /opensearch.
 * A version that names only the major release counts as its newest minor release, which DigitalOcean installs. The
 * Kafka releases are those that both endoflife.date and Mondoo's policy (db-engine-supported-version) call ended:
 * DigitalOcean offers later ones longer than the Apache project maintains them.
 */
const ends: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pg: {
    "9": "2021-11-11",
    "10": "2022-11-10",
    "11": "2023-11-09",
    "12": "2024-11-21",
    "13": "2025-11-13",
    "14": "2026-11-12",
    "15": "2027-11-11",
    "16": "2028-11-09",
    "17": "2029-11-08",
    "18": "2030-11-14",
  },
  mysql: {
    "5": "2023-10-31",
    "5.6": "2021-02-28",
    "5.7": "2023-10-31",
    "8": "2032-04-30",
    "8.0": "2026-04-30",
    "8.4": "2032-04-30",
    "9.7": "2034-04-21",
  },
  mongodb: {
    "3": "2021-04-30",
    "4": "2024-02-29",
    "4.0": "2022-04-30",
    "4.2": "2023-04-30",
    "4.4": "2024-02-29",
    "5": "2024-10-31",
    "6": "2025-07-31",
    "7": "2027-08-31",
    "8": "2029-10-31",
  },
  redis: {
    "4": "2022-04-27",
    "5": "2022-04-27",
    "6": "2027-04-01",
    "6.0": "2022-05-31",
    "6.2": "2027-04-01",
    "7": "2029-12-01",
    "7.0": "2024-07-29",
  },
  valkey: { "7": "2029-04-16", "8": "2030-03-31", "8.0": "2027-09-15", "9.0": "2028-10-21" },
  kafka: {
    "2": "2022-09-19",
    "3.0": "2022-09-19",
    "3.1": "2022-09-19",
    "3.2": "2022-09-28",
    "3.3": "2023-02-06",
    "3.4": "2023-06-13",
  },
  opensearch: { "1": "2025-05-06" },
};

/** DigitalOcean's names of engines, also of its Advanced Edition. */
export const engineNames = [...Object.keys(ends), "advanced_mysql", "advanced_pg"];

/** The end of an engine's version; undefined if the table does not contain it, as with releases newer than the table. */
export function endOfDatabase(engine: string, version: string): string | undefined {
  const table = ends[engine.replace(/^advanced_/, "")] ?? {};
  const [major = "", minor] = version.trim().split(".");
  return (minor === undefined ? undefined : table[`${major}.${minor}`]) ?? table[major];
}
