#!/usr/bin/env python3
"""usage: keeper.py API-URL PKI-FOLDER RUN-FOLDER

Lives as long as the test bed and holds its lock (an inherited descriptor). Its work: local volumes have
no provisioner, so a released one would stay unusable for good; the keeper empties its folder and clears
its claim. It watches, and starts over when the watch ends or the API server is away.
"""
import http.client
import json
import os
import pathlib
import shutil
import ssl
import sys
import time
import urllib.parse

api, pki, run = urllib.parse.urlsplit(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
PATH = "/api/v1/persistentvolumes"
tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
tls.load_cert_chain(pki / "admin.crt", pki / "admin.key")


def log(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def request(method, path, body=None, timeout=10):
    connection = http.client.HTTPSConnection(api.hostname, api.port, context=tls, timeout=timeout)
    headers = {"Content-Type": "application/merge-patch+json"} if body else {}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    if response.status >= 300:
        raise OSError(f"{method} {path}: {response.status} {response.read(300)!r}")
    return response


def folder_of(volume):
    """The volume's folder on this machine; its path inside the node is /var/lib/kubelet/volumeK."""
    terms = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    node = terms[0]["matchExpressions"][0]["values"][0]
    inside = pathlib.PurePosixPath(volume["spec"]["local"]["path"]).relative_to("/var/lib/kubelet")
    folder = (run / node / "kubelet" / inside).resolve()
    if run.resolve() not in folder.parents:
        raise OSError(f"{volume['metadata']['name']}: {folder} is outside of the test bed")
    return folder


def empty(folder):
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
    # The kubelet gave it to the pod's fsGroup.
    os.chown(folder, 0, 0)
    os.chmod(folder, 0o777)


def reclaim(volume):
    name = volume["metadata"]["name"]
    if volume.get("status", {}).get("phase") != "Released" or not name.startswith("volume-"):
        return
    empty(folder_of(volume))
    # With its resourceVersion: never clear a claim that is newer than what was seen here.
    patch = {"metadata": {"resourceVersion": volume["metadata"]["resourceVersion"]}, "spec": {"claimRef": None}}
    try:
        request("PATCH", f"{PATH}/{name}", patch).read()
        log(f"{name} is free again")
    except OSError as error:
        if " 409 " not in str(error):  # after a conflict the watch brings the newer one
            raise


def keep():
    volumes = json.load(request("GET", PATH))
    for volume in volumes["items"]:
        reclaim(volume)
    version = volumes["metadata"]["resourceVersion"]
    watch = request("GET", f"{PATH}?watch=1&timeoutSeconds=240&resourceVersion={version}", timeout=300)
    for line in watch:
        event = json.loads(line)
        if event["type"] == "ERROR":
            raise OSError(f"watch ended: {event['object'].get('message')}")
        if event["type"] in ("ADDED", "MODIFIED"):
            reclaim(event["object"])


while True:
    try:
        keep()
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        log(f"starting over: {error}")
        time.sleep(1)
