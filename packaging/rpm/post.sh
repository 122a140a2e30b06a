# Enables the units as the presets say, at the first installation. Nothing is started: what an
# instance is for is done at its boot.
if command -v systemctl >/dev/null 2>&1; then
    if [ "$1" -eq 1 ]; then
        systemctl --no-reload preset bootlace-early.service bootlace.service \
            bootlace-shutdown.service || :
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload || :
    fi
fi
