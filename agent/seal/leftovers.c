/*
 * The list of leftovers; see leftovers.h.
 *
 * - machine-id(5): an empty /etc/machine-id gets an id of the machine's own at each boot. Absent,
 *   or "uninitialized", it would make the next boot a "first boot" to systemd as well, which
 *   resets all units to their presets: what the image enabled and disabled would be lost. One that
 *   says so already is left as it is.
 * - random(4), systemd-random-seed(8): a seed that two machines share is none.
 * - systemd.io/BUILDING_IMAGES names the credential secret beside these.
 */
#include "seal/leftovers.h"

#include "base/banned.h"
#include "base/memory.h"

static const char record[] = "record of what was done", journal[] = "journal", logs[] = "logs",
                  id[] = "machine id", seed[] = "random seed", secret[] = "secret of this machine",
                  host_key[] = "host keys", lease[] = "leases", history[] = "histories",
                  cache[] = "package caches", cloud_init[] = "left by cloud-init",
                  dump[] = "crash dumps", mail[] = "mail", temporary[] = "temporary files",
                  names[] = "names of network cards";

const struct leftover leftovers[] = {
    {record, "/var/lib/bootlace/instances/*", LEFTOVER_REMOVE, 0},
    {record, "/var/lib/bootlace/modules/*", LEFTOVER_REMOVE, LEFTOVER_UNLESS_KEPT},
    {record, "/var/lib/bootlace/modules.json", LEFTOVER_REMOVE, 0},
    {record, "/var/lib/bootlace/run", LEFTOVER_REMOVE, 0},

    {host_key, "/etc/ssh/ssh_host_*_key", LEFTOVER_REMOVE, 0},
    {host_key, "/etc/ssh/ssh_host_*_key.pub", LEFTOVER_REMOVE, 0},
    {host_key, "/etc/ssh/ssh_host_*_key-cert.pub", LEFTOVER_REMOVE, 0},
    {host_key, "/etc/dropbear/dropbear_*_host_key", LEFTOVER_REMOVE, 0},

    {seed, "/var/lib/systemd/random-seed", LEFTOVER_REMOVE, 0},
    {seed, "/var/lib/random-seed", LEFTOVER_REMOVE, 0},
    {seed, "/var/lib/urandom/random-seed", LEFTOVER_REMOVE, 0},
    {seed, "/var/lib/seedrng/*", LEFTOVER_REMOVE, 0},
    {seed, "/boot/loader/random-seed", LEFTOVER_REMOVE, 0},
    {seed, "/boot/efi/loader/random-seed", LEFTOVER_REMOVE, 0},
    {seed, "/efi/loader/random-seed", LEFTOVER_REMOVE, 0},

    {secret, "/var/lib/systemd/credential.secret", LEFTOVER_REMOVE, 0},
    {secret, "/var/lib/NetworkManager/secret_key", LEFTOVER_REMOVE, 0},
    {secret, "/var/lib/dhcpcd/secret", LEFTOVER_REMOVE, 0},

    {lease, "/var/lib/dhcp/*.lease*", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/dhclient/*.lease*", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/dhcpcd/*.lease*", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/dhcpcd/duid", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/dhcpcd5/*.lease*", LEFTOVER_REMOVE, 0},
    {lease, "/etc/dhcpcd.duid", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/NetworkManager/*.lease*", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/NetworkManager/seen-bssids", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/NetworkManager/timestamps", LEFTOVER_REMOVE, 0},
    {lease, "/var/lib/wicked/*.xml", LEFTOVER_REMOVE, 0},

    {names, "/etc/udev/rules.d/70-persistent-net.rules", LEFTOVER_REMOVE, 0},

    {cloud_init, "/var/lib/cloud/instance", LEFTOVER_REMOVE, 0},
    {cloud_init, "/var/lib/cloud/instances", LEFTOVER_REMOVE, 0},
    {cloud_init, "/var/lib/cloud/data", LEFTOVER_REMOVE, 0},
    {cloud_init, "/var/lib/cloud/sem", LEFTOVER_REMOVE, 0},
    {cloud_init, "/var/lib/cloud/handlers", LEFTOVER_REMOVE, 0},
    {cloud_init, "/var/log/cloud-init*", LEFTOVER_REMOVE, 0},

    {history, "~/.bash_history", LEFTOVER_REMOVE, 0},
    {history, "~/.ash_history", LEFTOVER_REMOVE, 0},
    {history, "~/.sh_history", LEFTOVER_REMOVE, 0},
    {history, "~/.ksh_history", LEFTOVER_REMOVE, 0},
    {history, "~/.zsh_history", LEFTOVER_REMOVE, 0},
    {history, "~/.histfile", LEFTOVER_REMOVE, 0},
    {history, "~/.local/share/fish/fish_history", LEFTOVER_REMOVE, 0},
    {history, "~/.python_history", LEFTOVER_REMOVE, 0},
    {history, "~/.node_repl_history", LEFTOVER_REMOVE, 0},
    {history, "~/.mysql_history", LEFTOVER_REMOVE, 0},
    {history, "~/.psql_history", LEFTOVER_REMOVE, 0},
    {history, "~/.sqlite_history", LEFTOVER_REMOVE, 0},
    {history, "~/.rediscli_history", LEFTOVER_REMOVE, 0},
    {history, "~/.lesshst", LEFTOVER_REMOVE, 0},
    {history, "~/.viminfo", LEFTOVER_REMOVE, 0},
    {history, "~/.wget-hsts", LEFTOVER_REMOVE, 0},

    {cache, "/var/cache/apt/*.bin", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/apt/archives/*.deb", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/apt/archives/partial/*", LEFTOVER_REMOVE, 0},
    {cache, "/var/lib/apt/lists/*", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/dnf/*", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/libdnf5/*", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/yum/*", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/zypp/*", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/pacman/pkg/*", LEFTOVER_REMOVE, 0},
    {cache, "/var/cache/apk/*", LEFTOVER_REMOVE, 0},

    {dump, "/var/lib/systemd/coredump/*", LEFTOVER_REMOVE, 0},
    {dump, "/var/crash/*", LEFTOVER_REMOVE, 0},
    {mail, "/var/mail/*", LEFTOVER_EMPTY, 0},
    {mail, "/var/spool/mail/*", LEFTOVER_EMPTY, 0},
    {temporary, "/tmp/*", LEFTOVER_REMOVE, LEFTOVER_AT_REST},
    {temporary, "/var/tmp/*", LEFTOVER_REMOVE, LEFTOVER_AT_REST},

    /* What is written by name into a log that was rotated away is nobody's any more; the others
     * stay, with their owners and modes, since who writes them may not be able to make them. */
    {journal, "/var/log/journal/*", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*.[0-9]", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*.[0-9][0-9]", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*.gz", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*.xz", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*.zst", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*.bz2", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*.old", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*-[12][0-9][0-9][0-9][01][0-9][0-3][0-9]", LEFTOVER_REMOVE, 0},
    {logs, "/var/log/**/*", LEFTOVER_EMPTY, 0},

    /* The last: much else finds its own by it. */
    {id, "/var/lib/dbus/machine-id", LEFTOVER_REMOVE, LEFTOVER_FILES},
    {id, "/etc/machine-id", LEFTOVER_EMPTY, 0},
};

const size_t leftover_count = ARRAY_SIZE(leftovers);
