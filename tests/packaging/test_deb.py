#!/usr/bin/python3
"""The Debian packages in a copy of a small Debian: installed, upgraded, removed, purged; and a
machine that boots with them."""

import contextlib
import lzma
import os
import shutil
import stat
import subprocess
import unittest
from pathlib import Path

import packages
from packages import OLDER, PARTS, host
import boottest  # noqa: E402  (found by packages)
import image as images  # noqa: E402
import roots  # noqa: E402

UNITS = ("bootlace-early.service", "bootlace.service", "bootlace-shutdown.service")
WANTS = "/etc/systemd/system/multi-user.target.wants/"

SCRIPT = "#!/bin/sh\necho ran >>/root/ran\n"
OF_DNS = ("#cloud-config\ndns:\n- {name: web.example.com, value: 192.0.2.1,"
          " server: {address: 192.0.2.53, zone: example.com}}\n")
OF_S3 = ("#cloud-config\ns3:\n- {from: 's3://site/a.tar', to: /srv/a, extract: true,"
         " endpoint: 'http://127.0.0.1:1', region: us-east-1}\n")

# What an installation leaves by its nature: dpkg's own records.
DPKG = ("/var/lib/dpkg/", "/var/log/dpkg.log", "/var/log/alternatives.log", "/var/cache/",
        "/proc/", "/dev/", "/root/")


class DebTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make a copy of a small Debian")
        self.copy = self.enterContext(roots.Copy(images.PACKAGES, images.SETTINGS))

    def dpkg(self, *words, check=True, **options):
        return self.copy.run(["dpkg", *words], check=check, env=host.environment(
            DEBIAN_FRONTEND="noninteractive"), **options)

    def install(self, *paths, **options):
        for path in paths:
            shutil.copy(path, self.copy.path("/root"))
        return self.dpkg("--install", *(f"/root/{path.name}" for path in paths), **options)

    def bootlace(self, *words, check=True, user_data=None):
        if user_data is not None:
            path = self.copy.path("/root/user-data")
            path.write_bytes(user_data if isinstance(user_data, bytes) else user_data.encode())
            words = (*words, "--user-data", "/root/user-data")
        return self.copy.run(["bootlace", *words], check=check)

    def tree(self):
        """Every file of the copy but dpkg's: name -> what it is, and what is in it."""
        found = {}
        for at, folders, names in os.walk(self.copy.root):
            inside = at.removeprefix(str(self.copy.root)) + "/"
            folders[:] = [name for name in folders if not f"{inside}{name}/".startswith(DPKG)]
            for name in folders + names:
                path = os.path.join(at, name)
                if (inside + name).startswith(DPKG):
                    continue
                mode = os.lstat(path).st_mode
                content = (os.readlink(path) if stat.S_ISLNK(mode) else
                           Path(path).read_bytes() if stat.S_ISREG(mode) else "")
                found[inside + name] = (stat.filemode(mode), content)
        return found

    def enabled(self):
        return {unit for unit in UNITS
                if os.path.lexists(self.copy.path(WANTS + unit))}

    def exists(self, name):
        return os.path.lexists(self.copy.path(name))


class Life(DebTest):
    def test_from_the_installation_to_the_purge(self):
        before = self.tree()
        self.install(packages.deb("bootlace", OLDER))
        self.assertEqual(self.enabled(), set(UNITS))
        self.assertEqual(self.dpkg("--verify", "bootlace").stdout, "")
        self.assertEqual(self.bootlace("run", user_data=SCRIPT).returncode, 0)
        self.bootlace("run", user_data=SCRIPT)
        self.assertEqual(self.copy.path("/root/ran").read_text(), "ran\n")
        self.change_things()
        kept = {name: what for name, what in self.tree().items() if self.is_kept(name)}
        self.assertTrue(any(name.endswith("/journal") for name in kept))

        self.upgrade_loses_nothing(kept)
        self.dpkg("--remove", "bootlace")
        self.assertEqual({name: what for name, what in self.tree().items()
                          if self.is_kept(name)}, kept)
        self.assertFalse(self.exists("/usr/bin/bootlace"))
        self.assertFalse(self.exists("/usr/lib/bootlace"))

        self.install(packages.deb("bootlace"))
        self.assertEqual(self.enabled(), {"bootlace-early.service", "bootlace.service"})
        self.assertIn("status: done", self.bootlace("status").stdout)
        self.dpkg("--purge", "bootlace")
        after = self.tree()
        self.assertEqual({name for name in set(before) ^ set(after)}, set())
        self.assertEqual({name for name in before if before[name] != after[name]}, set())

    def change_things(self):
        """As an administrator does."""
        with open(self.copy.path("/etc/bootlace/config.yaml"), "a", encoding="utf-8") as file:
            file.write("timezone: Etc/UTC\n")
        self.copy.put("/etc/bootlace/config.d/10-own.yaml", "locale: C.UTF-8\n")
        self.copy.run(["systemctl", "disable", "bootlace-shutdown.service"])

    @staticmethod
    def is_kept(name):
        return name.startswith(("/etc/bootlace/", "/var/lib/bootlace/", "/var/log/bootlace"))

    def upgrade_loses_nothing(self, kept):
        self.install(packages.deb("bootlace"))
        self.assertEqual({name: what for name, what in self.tree().items()
                          if self.is_kept(name)}, kept)
        self.assertEqual(self.enabled(), {"bootlace-early.service", "bootlace.service"})
        self.assertIn("status: done", self.bootlace("status").stdout)
        self.assertEqual(self.copy.path("/root/ran").read_text(), "ran\n")

    def test_settings_changed_on_both_sides_are_asked_about(self):
        self.install(packages.deb("bootlace", OLDER))
        path = self.copy.path("/etc/bootlace/config.yaml")
        path.write_text("timezone: Etc/UTC\n", encoding="utf-8")
        newer = packages.scratch() / "newer"
        subprocess.run(["dpkg-deb", "--raw-extract", packages.deb("bootlace"), newer], check=True)
        for name, old, new in (("etc/bootlace/config.yaml", "# Settings", "# New settings"),
                               ("DEBIAN/control", "Version: ", "Version: 99.")):
            text = (newer / name).read_text(encoding="utf-8")
            self.assertIn(old, text)
            (newer / name).write_text(text.replace(old, new), encoding="utf-8")
        other = packages.scratch() / "bootlace_newer.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", newer, other],
                       check=True, stdout=subprocess.DEVNULL)
        asked = self.install(other, check=False, input="")
        self.assertNotEqual(asked.returncode, 0)
        self.assertIn("Configuration file '/etc/bootlace/config.yaml'", asked.stdout + asked.stderr)
        self.dpkg("--configure", "--force-confold", "bootlace")
        self.assertEqual(path.read_text(encoding="utf-8"), "timezone: Etc/UTC\n")

    def test_parts_that_are_not_installed_are_named(self):
        self.install(packages.deb("bootlace"))
        self.copy.path("/root/ran").unlink(missing_ok=True)
        packed = lzma.compress(SCRIPT.encode())
        for data, part in ((packed, "bootlace-archive"), (OF_DNS, "bootlace-dns"),
                           (OF_S3, "bootlace-archive")):
            with self.subTest(part, data=data):
                refused = self.bootlace("run", "--rerun", "all", user_data=data, check=False)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn(f"install the package {part}", refused.stdout + refused.stderr)
        self.assertFalse(self.exists("/root/ran"))
        self.install(*(packages.deb(part) for part in PARTS if part != "bootlace-dev"))
        self.bootlace("run", "--rerun", "all", user_data=packed)
        self.assertEqual(self.copy.path("/root/ran").read_text(), "ran\n")
        self.assertEqual(self.bootlace("validate", "/root/user-data").returncode, 0)
        self.copy.put("/root/dns.yaml", OF_DNS)
        self.assertEqual(self.bootlace("modules", "dns").returncode, 0)


class Boot(boottest.BootTest):
    def test_a_machine_with_the_packages_runs_its_script(self):
        with contextlib.ExitStack() as stack:
            copy = stack.enter_context(roots.Copy(images.PACKAGES, images.SETTINGS))
            for part in ("bootlace", "bootlace-archive"):
                shutil.copy(packages.deb(part), copy.path("/root"))
            copy.run(["sh", "-c", "dpkg --install /root/*.deb && rm /root/*.deb"])
            owned = host.OwnedFolder(host.cache_folder(), "image.")
            stack.callback(owned.close)
            stack.callback(shutil.rmtree, owned.path)
            owned.path.chmod(0o755)
            host.run(["cp", "-a", f"{copy.changes}/.", owned.path])
            images.write_files(owned.path)
            host.run(["systemctl", f"--root={owned.path}", "enable", "test-platform.service"])
            image = images.Image(owned.path, packages.build(), "/usr")
            one = boottest.machines.Machine(image, user_data=lzma.compress(SCRIPT.encode()))
            self._machines.append(one)
            self.boot(one)
            self.assertEqual(one.wait_for_bootlace()["status"], "done")
            self.assertEqual(one.read_file("/root/ran"), "ran\n")
            self.assertEqual(one.run(["systemctl", "is-enabled", *UNITS]).stdout,
                             "enabled\n" * len(UNITS))
            one.destroy()
            self._machines.remove(one)


if __name__ == "__main__":
    unittest.main()
