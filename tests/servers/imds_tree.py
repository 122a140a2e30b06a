#!/usr/bin/python3
"""Makes a plausible instance: the tree of files that the tests' metadata service (imds) serves.

As a module: make_tree(folder, user_data=b"…"), then put_item() and remove_item() to change single
items while the service runs. As a command: imds_tree.py FOLDER [OPTION]….

All addresses are from the ranges for documentation (RFC 5737, RFC 3849), the account and the
credentials are invented.
"""

import argparse
import base64
import datetime
import hashlib
import ipaddress
import json
import os
import shutil
import struct
import sys

ACCOUNT = "123456789012"
INSTANCE_ID = "i-0123456789abcdef0"
AMI_ID = "ami-0fedcba9876543210"
REGION = "eu-central-1"
LOCAL_IPV4 = "192.0.2.10"
SUBNET_IPV4 = "192.0.2.0/24"
PUBLIC_IPV4 = "198.51.100.20"
IPV6 = "2001:db8::10"
SUBNET_IPV6 = "2001:db8::/64"
MAC = "02:00:5e:00:53:0a"
KEY_NAME = "my-key"
ROLE = "web-server"
CREDENTIAL_LIFE = datetime.timedelta(hours=6)

# The identity document's own version, not the service's.
DOCUMENT_VERSION = "2017-09-30"


def login_key(name):
    """An OpenSSH public key line (RFC 4253, 6.6; RFC 8709) that nobody has the secret of."""
    kind = b"ssh-ed25519"
    point = hashlib.sha256(name.encode()).digest()
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (kind, point))
    return f"{kind.decode()} {base64.b64encode(blob).decode()} {name}\n"


def item_path(folder, path):
    """The file behind an item; `path` is as in a request, without the version: meta-data/mac."""
    return os.path.join(folder, "latest", *path.split("/"))


def put_item(folder, path, content):
    """Makes or replaces an item, whole at once, as the service reads the tree at each request."""
    target = item_path(folder, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    # A name with a dot in front is never served.
    temporary = os.path.join(os.path.dirname(target), ".new-" + os.path.basename(target))
    with open(temporary, "wb") as out:
        out.write(content if isinstance(content, bytes) else content.encode())
    os.replace(temporary, target)


def remove_item(folder, path):
    """Removes an item, or a folder of them; nothing happens where there is none."""
    target = item_path(folder, path)
    if os.path.isdir(target):
        shutil.rmtree(target)
    elif os.path.exists(target):
        os.remove(target)


def timestamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def to_json(value):
    """JSON in the shape the service gives it: two spaces, and blanks around the colon."""
    return json.dumps(value, indent=2, separators=(",", " : "))


def identity_document(instance):
    return to_json({
        "accountId": ACCOUNT,
        "architecture": instance["architecture"],
        "availabilityZone": instance["zone"],
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": instance["ami_id"],
        "instanceId": instance["instance_id"],
        "instanceType": instance["instance_type"],
        "kernelId": None,
        "pendingTime": timestamp(instance["now"]),
        "privateIp": instance["local_ipv4"],
        "ramdiskId": None,
        "region": instance["region"],
        "version": DOCUMENT_VERSION,
    })


def dynamic_items(instance):
    base = "dynamic/instance-identity/"
    # Signatures are opaque to whoever cannot verify them: text of the right shape will do.
    signature = base64.encodebytes(hashlib.sha512(instance["instance_id"].encode()).digest())
    return {
        base + "document": identity_document(instance),
        base + "signature": signature.decode().rstrip("\n"),
        base + "pkcs7": signature.decode().rstrip("\n"),
        base + "rsa2048": signature.decode().rstrip("\n"),
    }


def name_items(instance):
    return {
        "hostname": instance["hostname"],
        "local-hostname": instance["hostname"],
        "public-hostname": instance["public_hostname"],
        "instance-id": instance["instance_id"],
        "instance-type": instance["instance_type"],
        "instance-life-cycle": "on-demand",
        "instance-action": "none",
        "ami-id": instance["ami_id"],
        "ami-launch-index": str(instance["launch_index"]),
        "ami-manifest-path": "(unknown)",
        "local-ipv4": instance["local_ipv4"],
        "public-ipv4": instance["public_ipv4"],
        "ipv6": instance["ipv6"],
        "mac": instance["mac"],
        "profile": "default-hvm",
        "reservation-id": "r-0123456789abcdef0",
        "security-groups": "default",
        "system": "nitro",
        "placement/availability-zone": instance["zone"],
        "placement/availability-zone-id": "euc1-az1",
        "placement/region": instance["region"],
        "services/domain": "amazonaws.com",
        "services/partition": "aws",
        "autoscaling/target-lifecycle-state": "InService",
        "events/maintenance/history": "[]",
        "events/maintenance/scheduled": "[]",
        "block-device-mapping/ami": "/dev/xvda",
        "block-device-mapping/root": "/dev/xvda",
        "block-device-mapping/ebs1": "sdf",
        "block-device-mapping/ephemeral0": "sdb",
        "block-device-mapping/swap": "sda3",
    }


def network_items(instance):
    base = f"network/interfaces/macs/{instance['mac']}/"
    return {base + name: value for name, value in {
        "device-number": "0",
        "interface-id": "eni-0123456789abcdef0",
        f"ipv4-associations/{instance['public_ipv4']}": instance["local_ipv4"],
        "ipv6s": instance["ipv6"],
        "local-hostname": instance["hostname"],
        "local-ipv4s": instance["local_ipv4"],
        "mac": instance["mac"],
        "owner-id": ACCOUNT,
        "public-hostname": instance["public_hostname"],
        "public-ipv4s": instance["public_ipv4"],
        "security-group-ids": "sg-0123456789abcdef0",
        "security-groups": "default",
        "subnet-id": "subnet-0123456789abcdef0",
        "subnet-ipv4-cidr-block": SUBNET_IPV4,
        "subnet-ipv6-cidr-blocks": SUBNET_IPV6,
        "vpc-id": "vpc-0123456789abcdef0",
        "vpc-ipv4-cidr-block": SUBNET_IPV4,
        "vpc-ipv4-cidr-blocks": SUBNET_IPV4,
    }.items()}


def role_items(instance):
    role = instance["role"]
    if role is None:
        return {}
    now = instance["now"]
    return {
        "iam/info": to_json({
            "Code": "Success",
            "LastUpdated": timestamp(now),
            "InstanceProfileArn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{role}",
            "InstanceProfileId": "AIPAEXAMPLEEXAMPLE000",
        }),
        f"iam/security-credentials/{role}": to_json({
            "Code": "Success",
            "LastUpdated": timestamp(now),
            "Type": "AWS-HMAC",
            "AccessKeyId": "ASIAEXAMPLEEXAMPLE00",
            "SecretAccessKey": "invented/for+tests/ExampleExampleExample",
            "Token": base64.b64encode(b"invented for tests " * 12).decode(),
            "Expiration": timestamp(now + CREDENTIAL_LIFE),
        }),
    }


def optional_items(instance):
    """What an instance has only where its owner, or its fate, says so."""
    items = {f"tags/instance/{key}": value for key, value in instance["tags"].items()}
    if instance["public_key"] is not None:
        items[f"public-keys/0={instance['key_name']}/openssh-key"] = instance["public_key"]
    if instance["spot_action"] is not None:
        soon = instance["now"] + datetime.timedelta(minutes=2)
        items["spot/instance-action"] = json.dumps(
            {"action": instance["spot_action"], "time": timestamp(soon)})
    return items


def make_tree(folder, *, instance_id=INSTANCE_ID, user_data=None, region=REGION, zone=None,
              hostname=None, public_key="", key_name=KEY_NAME, local_ipv4=LOCAL_IPV4,
              public_ipv4=PUBLIC_IPV4, ipv6=IPV6, mac=MAC, ami_id=AMI_ID,
              instance_type="t3.micro", architecture="x86_64", launch_index=0, role=ROLE, tags=None,
              spot_action=None):
    """Makes the whole tree below `folder` and returns the instance's facts as a dict.

    user_data=None: no user-data was given. public_key="": an invented key; None: no key. role=None:
    no role. tags=None: a Name; {}: none. spot_action: "terminate" and the like, for a spot instance
    that is about to be interrupted. What is empty (public_ipv4="", ipv6="") is left out.
    """
    ipaddress.ip_address(local_ipv4)  # it goes into the host name: a typo should show here
    zone = zone or region + "a"
    hostname = hostname or f"ip-{local_ipv4.replace('.', '-')}.{region}.compute.internal"
    public_hostname = (f"ec2-{public_ipv4.replace('.', '-')}.{region}.compute.amazonaws.com"
                       if public_ipv4 else "")
    instance = {
        "instance_id": instance_id, "region": region, "zone": zone, "hostname": hostname,
        "public_hostname": public_hostname, "key_name": key_name,
        "public_key": login_key(key_name) if public_key == "" else public_key,
        "local_ipv4": local_ipv4, "public_ipv4": public_ipv4, "ipv6": ipv6, "mac": mac,
        "ami_id": ami_id, "instance_type": instance_type, "architecture": architecture,
        "launch_index": launch_index, "role": role, "spot_action": spot_action,
        "tags": {"Name": "bootlace-test"} if tags is None else tags,
        "now": datetime.datetime.now(datetime.timezone.utc),
    }
    meta_data = {}
    for part in (name_items, network_items, role_items, optional_items):
        meta_data.update(part(instance))
    items = {f"meta-data/{path}": value for path, value in meta_data.items()
             if value != "" and not path.endswith("/")}
    items.update(dynamic_items(instance))
    for path, value in items.items():
        put_item(folder, path, value)
    remove_item(folder, "user-data")
    if user_data is not None:
        put_item(folder, "user-data", user_data)
    return instance


def main():
    parser = argparse.ArgumentParser(description="Makes the tree that imds serves.")
    parser.add_argument("folder")
    parser.add_argument("--user-data", metavar="FILE", help="a file with the user-data; - = stdin")
    for name in ("instance-id", "region", "zone", "hostname", "key-name", "local-ipv4",
                 "public-ipv4", "ipv6", "mac", "ami-id", "instance-type", "architecture",
                 "spot-action"):
        parser.add_argument("--" + name)
    parser.add_argument("--public-key", metavar="FILE", help="an OpenSSH public key")
    parser.add_argument("--tag", metavar="KEY=VALUE", action="append")
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    folder = given.pop("folder")
    if given.get("user_data") == "-":
        given["user_data"] = sys.stdin.buffer.read()
    elif "user_data" in given:
        with open(given["user_data"], "rb") as source:
            given["user_data"] = source.read()
    if "public_key" in given:
        with open(given["public_key"], encoding="utf-8") as source:
            given["public_key"] = source.read()
    if "tag" in given:
        given["tags"] = dict(tag.split("=", 1) for tag in given.pop("tag"))
    make_tree(folder, **given)


if __name__ == "__main__":
    main()
