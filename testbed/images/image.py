#!/usr/bin/env python3
"""usage: image.py NAME ROOT-FOLDER ARCH OUT.tar [CONFIG-JSON]

Packs a folder into an OCI image archive of one layer; the same files give the same bytes. Files below
/consul belong to 100:1000, as in the official Consul image, all others to root.
https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""
import hashlib
import io
import json
import os
import sys
import tarfile

name, root, arch, out = sys.argv[1:5]
config = json.loads(sys.argv[5]) if len(sys.argv) > 5 else {}


def owned(info):
    ours = info.name == "consul" or info.name.startswith("consul/")
    info.uid, info.gid = (100, 1000) if ours else (0, 0)
    info.uname = info.gname = ""
    info.mtime = 0
    return info


buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
    for entry in sorted(os.listdir(root)):
        tar.add(os.path.join(root, entry), arcname=entry, filter=owned)
layer = buffer.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(kind, data, **more):
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(data), "size": len(data), **more}


def encode(value):
    return json.dumps(value, sort_keys=True).encode()


epoch = "1970-01-01T00:00:00Z"
image = encode({"architecture": arch, "os": "linux", "created": epoch, "config": config,
                "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}, "history": [{"created": epoch}]})
manifest = encode({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                   "config": descriptor("config.v1+json", image),
                   "layers": [descriptor("layer.v1.tar", layer)]})
index = encode({"schemaVersion": 2, "manifests": [descriptor(
    "manifest.v1+json", manifest, platform={"os": "linux", "architecture": arch},
    annotations={"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.split(":")[-1]})]})

with tarfile.open(out, "w") as tar:
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": index}
    files.update({"blobs/sha256/" + hashlib.sha256(blob).hexdigest(): blob for blob in (layer, image, manifest)})
    for path, data in files.items():
        info = tarfile.TarInfo(path)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
