# Loads all of the test bed's parts.
# shellcheck shell=bash source-path=SCRIPTDIR
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
lib=$(dirname "${BASH_SOURCE[0]}")
for part in settings say process cgroups network host lock pki control node cluster clean; do
  # shellcheck disable=SC1090
  . "$lib/$part.sh"
done
unset lib part
