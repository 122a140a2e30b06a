"""Package managers in a copy of a small Debian, which the module takes for the machine.

The copy has all of them; os-release says whose machine it is. It sees the build, the test's own
folder, and the repositories in /repositories; what a test installs there goes with it.
"""

import os
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(TESTS / "rig"), str(TESTS / "servers"), str(TESTS / "agent")]
import host  # noqa: E402  (found by the line above)
import repositories  # noqa: E402
import roots  # noqa: E402
from agent import AgentTest, build_folder, needs_root  # noqa: E402
from module_call import ModuleTest  # noqa: E402
from test_manual import Page  # noqa: E402
from web import Answer, Web  # noqa: E402

__all__ = ["AgentTest", "Answer", "ModuleTest", "Page", "PackagesTest", "Web", "host", "needs_root",
           "repositories", "roots"]

OS_RELEASE = {"apt": "ID=debian\n", "dnf": "ID=fedora\nVERSION_ID=39\n",
              "zypper": 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "pacman": "ID=arch\n",
              "apk": "ID=alpine\n", "yum": 'ID="amzn"\nID_LIKE="centos rhel fedora"\n'}

REPOSITORY = "[test]\nname=test\nbaseurl={}\ngpgcheck=0\nenabled=1\n"


class PackagesTest(ModuleTest):
    module = "packages"
    manager = "apt"

    def setUp(self):
        super().setUp()
        copy = roots.Copy(repositories.TOOLS)
        self.copy = copy.__enter__()
        self.addCleanup(copy.__exit__)
        self.root = str(copy.root)
        self.bind(build_folder(), build_folder())
        self.bind(self.work, self.work)
        self.bind(repositories.made(), "/repositories")
        self.remove("etc/os-release")
        self.put("etc/os-release", OS_RELEASE[self.manager])
        # Debian's rpm would have its database in a folder of the user's.
        self.put("etc/rpm/macros", "%_dbpath /var/lib/rpm\n")
        self.sources(self.url("file://"))

    def bind(self, source, name):
        target = self.copy.path(str(name))
        target.mkdir(parents=True, exist_ok=True)
        host.run(["mount", "--bind", source, target])

    def remove(self, name):
        if self.exists(name):
            os.remove(self.path(name))

    def url(self, start):
        folder = {"apt": "apt", "pacman": "pacman"}.get(self.manager, "rpm")
        return f"{start}/repositories/{folder}"

    def sources(self, url):
        """The one repository that the manager knows."""
        if self.manager == "apt":
            for name in os.listdir(self.path("etc/apt/sources.list.d")):
                os.remove(self.path(f"etc/apt/sources.list.d/{name}"))
            self.put("etc/apt/sources.list", f"deb [trusted=yes] {url} ./\n")
        elif self.manager == "pacman":
            self.put("etc/pacman.conf", "[options]\nSigLevel = Never\nArchitecture = auto\n"
                                        f"[test]\nServer = {url}\n")
        else:
            folder = "zypp" if self.manager == "zypper" else "yum"
            self.put(f"etc/{folder}.repos.d/test.repo".replace("zypp.", "zypp/"),
                     REPOSITORY.format(url))

    def call(self, settings=None, *, root="/", **how):
        return super().call(settings, root=root, wrapper=["chroot", self.root], **how)

    def web(self, prefix="/repositories"):
        """The repositories' files as a Web's answers."""
        folder = repositories.made()
        return {f"{prefix}/{path.relative_to(folder)}": path.read_bytes()
                for path in folder.rglob("*") if path.is_file()}

    def version(self, name):
        """Of an installed package, from the file that each of them has; None: it is not there."""
        path = f"usr/share/{name}/version"
        return self.text(path).strip() if self.exists(path) else None

    def assert_item(self, called, name, status, message=None):
        item = called.item(name)
        self.assertEqual(item["status"], status, called)
        if message is not None:
            self.assertRegex(item.get("message") or "", message)
        return item
