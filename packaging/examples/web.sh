#!/bin/bash
# User-data: installs a web server, and writes its page from what the instance knows of itself.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends nginx

# The usual items are in the environment; bootlace query knows all of them.
cat >/var/www/html/index.html <<END
<!doctype html>
<title>$BOOTLACE_INSTANCE_ID</title>
<h1>Hello from $BOOTLACE_INSTANCE_ID</h1>
<p>I am a $BOOTLACE_INSTANCE_TYPE in $BOOTLACE_AVAILABILITY_ZONE, made from $BOOTLACE_AMI_ID.</p>
<p>My name is $(bootlace query hostname), my network card is $(bootlace query mac).</p>
END
