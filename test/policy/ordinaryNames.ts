/**
 * Names as people and programs give them to resources of DigitalOcean, and keys as issuers generate them. Both lists
 * are the same in every run.
 */

/** A generator of numbers (mulberry32) from a seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const words =
  "shop web api db cache worker chatbot manager gateway frontend backend ingress monitoring prometheus grafana postgresql mysql redis kubernetes cluster control node pool staging production blue green canary primary replica checkout inventory customer analytics jenkins gitlab runner vault consul elasticsearch logging mail vpn bastion jumphost proxy loadbalancer minecraft discourse mastodon wordpress nextcloud".split(
    " ",
  );
const regions = ["nyc1", "nyc3", "sfo2", "sfo3", "ams3", "sgp1", "lon1", "fra1", "tor1", "blr1", "syd1"];
const sizes = [
  "s-1vcpu-1gb",
  "s-2vcpu-8gb-160gb-intel",
  "s-4vcpu-16gb-320gb-intel",
  "c-60-intel",
  "g-8vcpu-32gb",
  "gd-2vcpu-8gb",
  "m3-8vcpu-64gb",
  "so1_5-4vcpu-32gb",
  "gpu-h100x8-640gb",
  "c2-16vcpu-32gb",
];
const images = [
  "ubuntu-22-04-x64",
  "ubuntu-24-04-x64",
  "debian-12-x64",
  "rockylinux-9-x64",
  "docker-20-04",
  "fedora-42-x64",
];

export function ordinaryNames(count: number): readonly string[] {
  const random = randomNumbers(20_261_129);
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? "";
  const some = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  const hex = (length: number) => some("0123456789abcdef", length);
  // The alphabet of Kubernetes' generated names has no vowels.
  const pod = (length: number) => some("bcdfghjklmnpqrstvwxz2456789", length);
  const two = (below: number) => String(Math.floor(random() * below) + 1).padStart(2, "0");
  const date = () => `20${two(25)}-${two(12)}-${two(28)}`;
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const forms: readonly (() => string)[] = [
    () => `${pick(words)}-${pick(words)}-${hex(7)}`,
    () => `k8s-${pick(words)}-node-${pick(["a", "b", "c"])}-${hex(7)}`,
    () => `${pick(images)}-${pick(sizes)}-${pick(regions)}-${two(20)}`,
    () => `ubuntu-${pick(sizes)}-${pick(regions)}-${two(20)}`,
    () => `${pick(words)}-cluster-${date()}-${pick(["blue", "green"])}`,
    () => `${pick(words)}-${hex(10)}-${pod(5)}`,
    () => `pool-${pod(9)}-${pod(5)}`,
    () => `pvc-${hex(8)}-${hex(4)}-4${hex(3)}-9${hex(3)}-${hex(12)}`,
    () =>
      `db-${pick(["postgresql", "mysql", "valkey"])}-${pick(regions)}-${String(Math.floor(random() * 90_000) + 10_000)}`,
    () => `${pick(words)}-${hex(12)}`,
    () => `${pick(words)}.${pick(words)}.${pick(regions)}.example.com`,
    () => `${pick(words)}-snapshot-${date()}t${two(23)}${two(59)}${two(59)}z`,
    () => `commit:${hex(40)}`,
    () => `${capital(pick(words))}${capital(pick(words))}${capital(pick(words))}Bucket${two(99)}`,
    () => `k8s:${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    () => `${pick(words)}_${pick(words)}_v${two(9)}_${two(12)}_${hex(8)}`,
    () =>
      `terraform-${date().replaceAll("-", "")}${two(23)}${two(59)}${two(59)}${String(Math.floor(random() * 1e8)).padStart(8, "0")}`,
    () => `${pick(words)}-pr-${Math.floor(random() * 9_999)}-${pick(words)}-${pick(words)}`,
    () => `ip-10-${two(255)}-${two(255)}-${two(255)}.${pick(regions)}.internal`,
    () => `image:${pick(words)}:sha256:${hex(64)}`,
  ];
  return Array.from({ length: count }, (_, index) => forms[index % forms.length]?.() ?? "");
}

export interface GeneratedKey {
  readonly form: string;
  readonly key: string;
}

const small = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const base62 = `${small}${small.toUpperCase()}${digits}`;
const hexDigits = "0123456789abcdef";

/** `count` keys of each form; a piece of a form is an alphabet and a length, or a literal text. */
export function generatedKeys(count: number): readonly GeneratedKey[] {
  const random = randomNumbers(13);
  const some = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  const base64url = `${base62}-_`;
  const forms: Readonly<Record<string, () => string>> = {
    "DigitalOcean personal": () => `dop_v1_${some(hexDigits, 64)}`,
    "DigitalOcean OAuth": () => `doo_v1_${some(hexDigits, 64)}`,
    "Spaces key": () => `DO00${some(small.toUpperCase() + digits, 16)}`,
    "AWS key": () => `AKIA${some(small.toUpperCase() + digits, 16)}`,
    GitHub: () => `ghp_${some(base62, 36)}`,
    "GitHub fine-grained": () => `github_pat_${some(base62, 22)}_${some(base62, 59)}`,
    "GitLab runner": () => `glrt-${some(base64url, 20)}`,
    "Slack bot": () => `xoxb-${some(digits, 12)}-${some(digits, 12)}-${some(base62, 24)}`,
    Stripe: () => `sk_live_${some(base62, 24)}`,
    Google: () => `AIza${some(base64url, 34)}x`,
    npm: () => `npm_${some(base62, 36)}`,
    Tailscale: () => `tskey-auth-k${some(base62, 16)}-${some(base62, 32)}`,
    "Tailscale API": () => `tskey-api-k${some(base62, 11)}CNTRL-${some(base62, 32)}`,
    "Doppler service": () => `dp.st.prd.${some(base62, 43)}`,
    "Doppler personal": () => `dp.pt.${some(base62, 43)}`,
    Vault: () => `hvs.${some(base64url, 90)}`,
    Pulumi: () => `pul-${some(hexDigits, 40)}`,
    "Hugging Face": () => `hf_${some(base62, 34)}`,
    Docker: () => `dckr_pat_${some(base64url, 27)}`,
    Grafana: () => `glsa_${some(base62, 32)}_${some(hexDigits, 8)}`,
    SendGrid: () => `SG.${some(base64url, 22)}.${some(base64url, 42)}x`,
    "New Relic": () => `NRAK-${some(small.toUpperCase() + digits, 27)}`,
    "Datadog (32 hexadecimal digits)": () => some(hexDigits, 32),
    "a random key (40 letters and digits)": () => some(base62, 40),
  };
  return Object.entries(forms).flatMap(([form, make]) =>
    Array.from({ length: count }, () => ({ form, key: make() })),
  );
}
