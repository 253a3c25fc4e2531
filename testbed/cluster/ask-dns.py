#!/usr/bin/env python3
"""usage: ask-dns.py SERVER NAME ADDRESS: succeeds if the server's A records for the name hold the address."""
import secrets
import socket
import struct
import sys

server, name, expected = sys.argv[1:4]
ident = secrets.randbelow(65536)
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
question = labels + b"\0" + struct.pack(">HH", 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(2)
    sock.sendto(struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question, (server, 53))
    answer = sock.recv(4096)
# An A record's data is the address itself, so its four bytes after the length 4 are proof enough.
found = answer[:2] == struct.pack(">H", ident) and b"\0\4" + socket.inet_aton(expected) in answer[12 + len(question):]
sys.exit(0 if found else 1)
