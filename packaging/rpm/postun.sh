# The settings that were changed (as .rpmsave), the record and the logs stay.
if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then
    systemctl daemon-reload || :
fi
