#!/usr/bin/env python3
"""usage: ask-dns.py SERVER NAME ADDRESS: succeeds if the server's A or AAAA records for the name hold the address."""
import secrets
import socket
import struct
import sys

server, name, expected = sys.argv[1:4]
kind, family = (28, socket.AF_INET6) if ":" in expected else (1, socket.AF_INET)
ident = secrets.randbelow(65536)
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
question = labels + b"\0" + struct.pack(">HH", kind, 1)
with socket.socket(family, socket.SOCK_DGRAM) as sock:
    sock.settimeout(2)
    sock.sendto(struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question, (server, 53))
    answer = sock.recv(4096)
# The record's data is the address itself, so its bytes after their number are proof enough.
data = socket.inet_pton(family, expected)
found = answer[:2] == struct.pack(">H", ident) and struct.pack(">H", len(data)) + data in answer[12 + len(question):]
sys.exit(0 if found else 1)
