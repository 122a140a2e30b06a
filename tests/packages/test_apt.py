#!/usr/bin/python3
"""packages with apt: versions, locks, servers that are busy, scripts that fail, questions.

BOOTLACE_BUILD names the build folder.
"""

import os
import subprocess
import threading
import unittest

from package_test import Answer, PackagesTest, Web, needs_root

LOCK = """
import fcntl, sys
held = open(sys.argv[1], "r+")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


class AptTest(PackagesTest):
    manager = "apt"

    def run_in(self, *argv, **how):
        return self.copy.run(argv, **how).stdout

    def state(self, name):
        return self.copy.run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", name],
                             check=False).stdout

    def hold(self, path):
        """A process of ours that holds a lock; ends when its standard input is closed."""
        self.put(path.lstrip("/"), mode=0o640)
        holder = subprocess.Popen(["/usr/bin/python3", "-c", LOCK, self.path(path)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.release, holder)
        self.assertEqual(holder.stdout.readline(), b"held\n")
        return holder

    def release(self, holder):
        if holder.poll() is None:
            holder.stdin.close()
            holder.wait(10)
        holder.stdout.close()


@needs_root
class Versions(AptTest):
    def test_as_a_list_and_as_apt_writes_it(self):
        for item in (["good", "1.0"], "good=1.0", ["good", "1.*"]):
            with self.subTest(item):
                called = self.assert_called("changed", {"packages": [item]})
                self.assertEqual(self.version("good"), "1.0")
                called = self.assert_called("unchanged", {"packages": [item]})
                self.assertRegex(called.items[0]["message"], "^1.0 was installed already$")
                self.run_in("dpkg", "--purge", "good")

    def test_a_newer_one_and_an_older_one(self):
        self.assert_called("changed", {"packages": [["good", "1.0"]]})
        called = self.assert_called("changed", {"packages": [["good", "2.0"]]})
        self.assert_item(called, "good 2.0", "changed", "^2.0, before 1.0$")
        called = self.assert_called("changed", {"packages": [["good", "1.0"]]})
        self.assert_item(called, "good 1.0", "changed", "^1.0, before 2.0$")

    def test_one_that_there_is_not(self):
        called = self.assert_fails(
            "^1 of 2 packages failed: good 9: no package source has this version$",
            {"packages": [["good", "9"], "other"]})
        self.assert_item(called, "other", "changed")

    def test_any_is_enough_where_none_is_asked_for(self):
        self.assert_called("changed", {"packages": [["good", "1.0"]]})
        self.assert_called("unchanged", {"packages": ["good"]})

    def test_by_manager(self):
        called = self.assert_called("changed", {"packages": [
            {"dnf": ["nosuch"], "apt": ["good", ["other", "1.0"]]}, {"zypper": [["a", "1"]]}]})
        self.assertEqual([item["item"] for item in called.items],
                         ["package lists", "good", "other 1.0"])
        self.assertIn("nosuch is meant for dnf, and left out here", called.log)

    def test_for_others_alone(self):
        self.assert_called("unchanged", {"packages": [{"dnf": ["nosuch"]}]})

    def test_an_architecture(self):
        self.assert_called("changed", {"packages": ["good:all"]})
        self.assert_called("unchanged", {"packages": ["good:all", "good"]})

    def test_a_file(self):
        self.assert_called("changed", {"packages": ["/repositories/apt/good_1.0_all.deb"]})
        self.assertEqual(self.version("good"), "1.0")
        called = self.assert_fails("/nosuch.deb: there is no such file",
                                   {"packages": ["/nosuch.deb", "other"]})
        self.assert_item(called, "other", "changed")

    def test_one_twice(self):
        self.assert_called("changed", {"packages": ["good", "good"]})
        self.assert_called("unchanged", {"packages": ["good", "good"]})


@needs_root
class Implied(AptTest):
    """What other keys set up is installed, too."""

    def names(self, status, settings):
        called = self.call(settings)
        self.assertEqual(called.status, status, called)
        return [item["item"] for item in called.items if item["item"] != "package lists"]

    def test_puppet(self):
        self.assertEqual(self.names("changed", {"puppet": {"package_name": "good",
                                                           "version": "1.0"}}), ["good 1.0"])
        self.assertEqual(self.version("good"), "1.0")
        self.assertEqual(self.names("failed", {"puppet": {}}), ["puppet-agent"])
        self.assertEqual(self.names("unchanged", {"puppet": {"install": False}}), [])

    def test_chef(self):
        self.assertEqual(self.names("failed", {"chef": {"exec": False}}), ["chef"])
        self.put("usr/bin/chef-client", mode=0o755)
        self.assertEqual(self.names("unchanged", {"chef": {"exec": False}}), [])
        self.assertEqual(self.names("failed", {"chef": {"force_install": True}}), ["chef"])

    def test_ansible(self):
        self.assertEqual(self.names("changed", {"ansible": {"package_name": "good"}}), ["good"])
        self.assertEqual(self.names("failed", {"ansible": {"pull": {}}, "packages": ["good"]}),
                         ["good", "ansible", "git"])
        self.assertEqual(self.names("failed", {"ansible": {"install_method": "pip"}}),
                         ["python3-pip"])


@needs_root
class Upgrade(AptTest):
    def test_upgrades(self):
        self.assert_called("changed", {"packages": [["good", "1.0"]]})
        called = self.assert_called("changed", {"package_upgrade": True})
        self.assertEqual(called.message, "1 upgraded, 0 added, 0 removed")
        self.assertEqual(self.version("good"), "2.0")

    def test_before_it_installs(self):
        self.assert_called("changed", {"packages": [["good", "1.0"]]})
        called = self.assert_called("changed", {"apt_upgrade": True, "packages": ["other"]})
        self.assertEqual(called.message,
                         "1 upgraded, 0 added, 0 removed; 1 of 1 packages changed")
        self.assertEqual([item["item"] for item in called.items],
                         ["package lists", "upgrade", "other"])

    def test_lists_alone(self):
        called = self.assert_called("changed", {"package_update": True})
        self.assertEqual(called.message, "the package lists were renewed")

    def test_configured_package_sources_renew_the_lists(self):
        called = self.assert_called("changed", {"apt": {"conf": "x"}})
        self.assertEqual(called.message, "the package lists were renewed")

    def test_nothing(self):
        called = self.assert_called("unchanged", {"packages": [], "package_update": False})
        self.assertEqual(called.message, "nothing is to be installed")

    def test_lists_that_cannot_be_renewed(self):
        self.sources("file:/nosuch")
        called = self.assert_fails("^package lists: .*/nosuch", {"package_update": True})
        self.sources(self.url("file://"))
        self.assert_called("changed", {"package_update": True})
        self.put("etc/apt/sources.list.d/more.list", "deb [trusted=yes] file:/nosuch ./\n")
        called = self.assert_fails("^package lists: .*/nosuch.*; 1 of 1 packages changed$",
                                   {"packages": ["good"]})
        self.assert_item(called, "good", "changed")
        self.put("etc/apt/sources.list.d/more.list", "deb [trusted=yes] file:/nosuch ./\n")
        called = self.assert_fails("^package lists: ",
                                   {"packages": ["other"], "package_on_error": "stop"})
        self.assertIsNone(self.version("other"))


@needs_root
class Failures(AptTest):
    BROKEN = "broken: installed broken package post-installation script subprocess returned error"

    def test_a_script_that_fails(self):
        called = self.assert_fails(f"^1 of 3 packages failed: {self.BROKEN}",
                                   {"packages": ["good", "broken", "other"]})
        self.assertIn("its database cannot be made", called.item("broken")["message"])
        self.assertEqual([self.state(name) for name in ("good", "broken", "other")],
                         ["installed", "half-configured", "installed"])
        self.assertEqual(called.log.count("its database cannot be made"), 1)

    def test_what_is_broken_keeps_nothing_else_out(self):
        self.assert_fails("broken", {"packages": ["broken"]})
        called = self.assert_called("changed", {"packages": ["good"]})
        self.assert_item(called, "good", "changed")

    def test_two_unknown_ones_and_a_broken_one(self):
        called = self.assert_fails("^4 of 6 packages failed: ", {"packages": [
            "nosuch", "good", "broken", "nosuch2", "nodeps", "other"]})
        self.assert_item(called, "nodeps", "failed", "^Depends: absent-thing but it is not")
        for name in ("good", "other"):
            self.assert_item(called, name, "changed")

    def test_stop(self):
        called = self.assert_fails("^2 of 2 packages failed: nosuch: no package source has it; "
                                   "good: not installed: package_on_error is stop",
                                   {"packages": ["nosuch", "good"], "package_on_error": "stop"})
        self.assertEqual(self.state("good"), "", called)

    def test_again(self):
        """As the step is repeated: what failed may be well the next time."""
        self.assert_fails("nosuch", {"packages": ["nosuch", "good"]})
        called = self.assert_fails("^1 of 2 packages failed: nosuch",
                                   {"packages": ["nosuch", "good"]})
        self.assert_item(called, "good", "unchanged")

    def test_dpkg_that_was_cut_off(self):
        self.assert_called("changed", {"package_update": True})
        self.run_in("apt-get", "install", "--yes", "--download-only", "good")
        self.run_in("dpkg", "--unpack", "/repositories/apt/good_2.0_all.deb")
        self.put("var/lib/dpkg/updates/0001", "")
        called = self.assert_called("changed", {"packages": ["other"]})
        self.assertEqual(self.state("good"), "installed", called)
        self.assertIn("dpkg was interrupted", called.log)

    def test_no_manager(self):
        for name in ("apt-get", "dnf", "zypper", "pacman"):
            os.rename(self.path(f"usr/bin/{name}"), self.path(f"usr/bin/{name}.away"))
        self.assert_fails("^there is no package manager here", {"packages": ["good"]})


@needs_root
class Questions(AptTest):
    def test_debconf_takes_its_default(self):
        self.assert_called("changed", {"packages": ["question"]})
        self.assertEqual(self.text("var/tmp/question-answer"), "nobody\n")

    def test_a_file_that_was_changed_stays(self):
        self.assert_called("changed", {"packages": [["configured", "1.0"]]})
        self.put("etc/configured.conf", "mine\n")
        self.assert_called("changed", {"package_upgrade": True})
        self.assertEqual(self.version("configured"), "2.0")
        self.assertEqual(self.text("etc/configured.conf"), "mine\n")


@needs_root
class Locks(AptTest):
    PATH = "/var/lib/dpkg/lock-frontend"

    def test_one_that_is_released(self):
        holder = self.hold(self.PATH)
        timer = threading.Timer(1.5, self.release, [holder])
        timer.start()
        called = self.assert_called("changed", {"packages": ["good"]})
        timer.join()
        self.assertRegex(called.log, rf"waiting for python3 \(pid {holder.pid}.*\), which holds "
                                     rf"{self.PATH}, up to 600 s")

    def test_one_that_is_not(self):
        holder = self.hold(self.PATH)
        self.assert_fails(
            rf"good: {self.PATH} is held by python3 \(pid {holder.pid}.*\), after 1 s still",
            {"packages": ["good"], "package_lock_wait": 1})
        self.assertEqual(self.state("good"), "")

    def test_each_of_them(self):
        for path in ("/var/lib/dpkg/lock", "/var/lib/apt/lists/lock",
                     "/var/cache/apt/archives/lock"):
            holder = self.hold(path)
            with self.subTest(path):
                self.assert_fails(f"good: {path} is held by",
                                  {"packages": ["good"], "package_lock_wait": 0})
            self.release(holder)

    def test_nothing_is_waited_for_where_all_is_there(self):
        self.assert_called("changed", {"packages": ["good"]})
        self.hold(self.PATH)
        self.assert_called("unchanged", {"packages": ["good"], "package_lock_wait": 0})


@needs_root
class Servers(AptTest):
    """Over HTTP, from a server that is busy, or away."""

    PACKAGES = "/repositories/apt/./Packages"
    DEB = "/repositories/apt/./good_2.0_all.deb"

    def serve(self, **faults):
        answers = {path.replace("/apt/", "/apt/./"): body for path, body in self.web().items()}
        web = Web(answers)
        for path, (status, times) in faults.get("faults", {}).items():
            answers[path] = Answer(status, times=times, then=answers[path])
        web.__enter__()
        self.addCleanup(web.__exit__)
        self.put("etc/apt/apt.conf.d/99test", 'Acquire::Retries "0";\n')
        self.sources(web.url("/repositories/apt"))
        return web

    def test_one_that_answers_503_twice(self):
        for path in (self.PACKAGES, self.DEB):
            with self.subTest(path):
                web = self.serve(faults={path: (503, 2)})
                called = self.assert_called("changed", {"packages": ["good"]})
                self.assertEqual(web.paths().count(path), 3)
                self.assertIn("503", called.log)
                self.assertRegex(called.log, "attempt 2 of 6\n(.*\n)*.*attempt 3 of 6\n")
                self.run_in("dpkg", "--purge", "good")
                self.run_in("rm", "-rf", "/var/lib/apt/lists", "/var/cache/apt/archives")

    def test_one_that_goes_on_so(self):
        web = self.serve(faults={self.DEB: (503, None)})
        self.assert_fails("^1 of 1 packages failed: good: .*503",
                          {"packages": ["good"], "package_retries": 1})
        self.assertEqual(web.paths().count(self.DEB), 2)

    def test_what_is_final_is_not_tried_again(self):
        web = self.serve(faults={self.DEB: (403, None)})
        self.assert_fails("good: .*403", {"packages": ["good"]})
        self.assertEqual(web.paths().count(self.DEB), 1)

    def test_lists_that_are_stale(self):
        web = self.serve(faults={self.DEB: (404, 1)})
        self.assert_called("changed", {"packages": ["good"]})
        self.assertEqual(web.paths().count("/repositories/apt/./Release"), 2)

    def test_one_that_is_not_there(self):
        web = self.serve()
        web.__exit__()
        called = self.assert_fails("^package lists: .*onnect",
                                   {"packages": ["good"], "package_retries": 1})
        self.assertIn("attempt 2 of 2", called.log)

    def test_secrets_of_a_url_are_not_told(self):
        self.serve()
        self.sources("http://me:hidden@127.0.0.1:1/repositories/apt")
        called = self.assert_fails("package lists: ", {"package_update": True,
                                                       "package_retries": 0})
        self.assertNotIn("hidden", f"{called.result} {called.items}")


@needs_root
class Restart(AptTest):
    def test_where_packages_ask_for_it(self):
        self.put("run/reboot-required", "*** System restart required ***\n")
        self.put("run/reboot-required.pkgs", "linux-image-6.1\nlibc6\n")
        settings = {"packages": ["good"], "package_reboot_if_required": True}
        called = self.assert_called("changed", settings)
        self.assertTrue(called.result.get("reboot"), called)
        self.assertIn("a restart is wanted: packages ask for it: linux-image-6.1 libc6", called.log)
        called = self.assert_called("unchanged", settings)
        self.assertFalse(called.result.get("reboot"), called)

    def test_where_nobody_wants_it(self):
        self.put("run/reboot-required", "*** System restart required ***\n")
        called = self.assert_called("changed", {"packages": ["good"]})
        self.assertFalse(called.result.get("reboot"), called)

    def test_where_nothing_asks(self):
        called = self.assert_called("changed", {"packages": ["good"],
                                                "package_reboot_if_required": True})
        self.assertFalse(called.result.get("reboot"), called)

    def test_a_newer_kernel(self):
        for release in ("1.0", "999.1-cloud", "999.0-cloud"):
            self.put(f"lib/modules/{release}/modules.dep")
        self.put("lib/modules/999.2-torn-down/kernel/x")
        called = self.assert_called("changed", {"packages": ["good"],
                                                "package_reboot_if_required": True})
        self.assertTrue(called.result.get("reboot"), called)
        self.assertIn(f"the kernel 999.1-cloud is installed, and {os.uname().release} runs",
                      called.log)


if __name__ == "__main__":
    unittest.main()
