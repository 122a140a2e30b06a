# At removal, not at an upgrade.
if [ "$1" -eq 0 ] && command -v systemctl >/dev/null 2>&1; then
    systemctl --no-reload disable bootlace-early.service bootlace.service \
        bootlace-shutdown.service || :
fi
