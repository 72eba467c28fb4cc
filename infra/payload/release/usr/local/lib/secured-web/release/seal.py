"""What only this host can open or write: AES-SIV (RFC 5297) with the host's key of 64 bytes."""

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class Seal:
    def __init__(self, key, stack, host):
        """key: base64. Raises ValueError where it is not one of 64 bytes."""
        self.cipher = AESSIV(base64.b64decode(key, validate=True))
        self.name = f"{stack}/{host}"

    def open(self, sealed, use):
        """The bytes that were sealed for this host and use. Raises ValueError."""
        try:
            return self.cipher.decrypt(sealed, [f"{self.name}/{use}".encode()])
        except InvalidTag as error:
            raise ValueError("sealed with another key, for another host or for another use") from error

    def close(self, content, use):
        return self.cipher.encrypt(content, [f"{self.name}/{use}".encode()])
