#!/usr/bin/python3
"""The recipes of packaging/recipes: what they make boots to the page that provision.yaml tells of,
twice, with nothing shared. mkosi and mmdebstrap, which take minutes, with BOOTLACE_TEST_ALL.
"""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import packages
from packages import SOURCE, host
import boottest  # noqa: E402  (found by packages)
import image as images  # noqa: E402
import network  # noqa: E402
import roots  # noqa: E402

RECIPES = SOURCE / "packaging" / "recipes"
WEB = ["nginx-light"]
PLATFORM = "test-platform.service"
AUTHORITIES = "usr/local/share/ca-certificates"
OWN = ("/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key", "/var/lib/systemd/random-seed")

long = unittest.skipUnless(os.environ.get("BOOTLACE_TEST_ALL") == "1",
                           "one of the long ones: --all")


class Golden(boottest.BootTest):
    def setUp(self):
        super().setUp()
        self.work = Path(tempfile.mkdtemp(dir=host.cache_folder(), prefix="golden."))
        self.addCleanup(shutil.rmtree, self.work)
        self.work.chmod(0o755)

    def launch(self, tree, instance_id):
        """A machine of a golden tree, booted, with the platform of these tests over it."""
        folder = Path(tempfile.mkdtemp(dir=self.work, prefix="platform."))
        folder.chmod(0o755)
        images.write_files(folder)
        host.run(["systemctl", f"--root={folder}", "enable", PLATFORM])
        image = images.Image(tree, packages.build(), "/usr")
        image.layers = f"{folder}:{tree}"
        one = boottest.machines.Machine(image, instance_id=instance_id)
        self._machines.append(one)
        one.boot()
        self.assertEqual(one.wait_for_bootlace()["status"], "done")
        self.assertIn(f"Hello from {instance_id}",
                      one.network.fetch(f"http://{network.MACHINE_ADDRESS}/"))
        return {name: one.read_file(name) for name in OWN if one.has_file(name)}

    def assert_golden(self, tree):
        """Baked, sealed, and good for two machines that share nothing."""
        for name in OWN[1:]:
            self.assertFalse((tree / name.lstrip("/")).exists(), name)
        self.assertIn((tree / "etc/machine-id").read_text(), ("", "uninitialized\n"))
        self.assertTrue((tree / "usr/sbin/nginx").exists())
        self.assertFalse((tree / "run/golden").exists())
        self.assertEqual(sorted((tree / "tmp").iterdir()), [])
        one, two = (self.launch(tree, name) for name in ("i-0aaa", "i-0bbb"))
        self.assertEqual({name for name in one if one[name] == two.get(name)}, set())
        self.assertLessEqual(set(OWN[:2]), set(one))


class IntoTree(Golden):
    def test_a_tree_of_debians(self):
        repository = roots.repository(images.cached_root(), WEB)
        tree = self.work / "tree"
        with contextlib.ExitStack() as stack:
            copy = stack.enter_context(roots.Copy(images.PACKAGES, images.SETTINGS))
            shutil.copytree(repository, copy.path("/srv/apt"))
            for source in copy.path("/etc/apt/sources.list.d").iterdir():
                source.unlink()
            copy.put("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/apt ./\n")
            for name in ("proc", "dev"):
                host.run(["umount", "--recursive", copy.path(f"/{name}")])
            host.run([RECIPES / "into-tree", copy.root, packages.deb("bootlace")], limit=180)
            host.run(["cp", "-a", copy.root, tree], limit=120)
        self.assert_golden(tree)

    def test_what_is_no_tree_is_refused(self):
        for words in ((), (str(self.work),), (str(self.work), "x.deb"), ("--bad",)):
            done = host.run([RECIPES / "into-tree", *words], check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(list(self.work.iterdir()), [])


@long
class Whole(Golden):
    def test_by_mmdebstrap(self):
        sources = [word for path in roots._sources() for word in ("--sources", path)]
        host.run([RECIPES / "debian-root", *sources, self.work / "tree",
                  packages.deb("bootlace")], limit=600)
        self.assert_golden(self.work / "tree")

    @unittest.skipUnless(shutil.which("mkosi"), "mkosi is not here")
    def test_by_mkosi(self):
        # This host's own authorities, of a proxy perhaps: mkosi's list of Debian has https.
        skeleton = self.work / "skeleton"
        (skeleton / AUTHORITIES).mkdir(parents=True)
        for path in Path("/", AUTHORITIES).glob("*.crt"):
            shutil.copy(path, skeleton / AUTHORITIES)
        # Where systemd doesn't run, nspawn has no unit of its own to make.
        keep = [] if host.runs_systemd() else ["--nspawn-keep-unit"]
        subprocess.run(["mkosi", *keep, "--format=directory", "--bootable=no",
                        f"--skeleton-tree={skeleton}", f"--output={self.work}/tree",
                        "build"], cwd=RECIPES / "mkosi",
                       env=host.environment(BOOTLACE_PACKAGES=str(packages.made()),
                                            SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1"),
                       check=True, timeout=900, stdin=subprocess.DEVNULL)
        self.assert_golden(self.work / "tree")


@unittest.skipUnless(shutil.which("packer"), "packer is not here")
class Packer(unittest.TestCase):
    TEMPLATE = RECIPES / "packer" / "golden.pkr.hcl"

    def validate(self, template):
        return host.run(["packer", "validate", "-var", f'packages=["{packages.deb("bootlace")}"]',
                         template], cwd=self.TEMPLATE.parent, check=False, limit=60,
                        env=host.environment(CHECKPOINT_DISABLE="1"))

    def test_packer_understands_the_template(self):
        done = self.validate(self.TEMPLATE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_files_that_it_sends_are_there(self):
        for name in re.findall(r'"(\.\./[\w./-]+)"', self.TEMPLATE.read_text(encoding="utf-8")):
            self.assertTrue((self.TEMPLATE.parent / name).exists(), name)


if __name__ == "__main__":
    unittest.main()
