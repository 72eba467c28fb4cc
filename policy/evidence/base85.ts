import { Unreadable } from "./unreadable";

/** The alphabet of RFC 1924, which Python's base64.b85encode uses. */
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/** The bytes of a base85 text: each five characters are four bytes. Throws Unreadable if it is none. */
export function fromBase85(text: string): Buffer {
  const padding = (5 - (text.length % 5)) % 5;
  const digits = [...text.padEnd(text.length + padding, "~")].map((character) => alphabet.indexOf(character));
  if (digits.includes(-1)) throw new Unreadable("a first release that is not base85");
  const bytes = Buffer.alloc((digits.length / 5) * 4);
  for (let index = 0; index < digits.length / 5; index++) {
    const word = digits.slice(index * 5, index * 5 + 5).reduce((sum, digit) => sum * 85 + digit, 0);
    if (word > 0xffffffff) throw new Unreadable("a first release that is not base85");
    bytes.writeUInt32BE(word, index * 4);
  }
  return bytes.subarray(0, bytes.length - padding);
}
