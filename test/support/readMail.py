"""Reads messages with Python's own library: one JSON line for each file named. A second opinion beside postal-mime's."""

import email
import email.policy
import hashlib
import json
import sys
from email.utils import getaddresses


def read(path):
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    attachments = [
        hashlib.sha256(part.get_payload(decode=True) or b"").hexdigest()
        for part in message.walk()
        if not part.is_multipart()
        and part.get_content_maintype() not in ("text", "message")
        and part.get_content_type() not in ("message/delivery-status",)
    ]
    names = [address.display_name for address in message["from"].addresses]
    return {
        "subject": str(message["subject"]) if message["subject"] is not None else None,
        "author": names[0] if names else None,
        "from": [address.addr_spec for address in message["from"].addresses],
        "replyTo": [address for _, address in getaddresses([str(message["reply-to"] or "")]) if address],
        "names": sorted({name.lower() for name in message.keys()}),
        "attachments": attachments,
    }


for name in sys.argv[1:]:
    print(json.dumps(read(name)))
