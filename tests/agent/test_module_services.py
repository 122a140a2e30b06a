#!/usr/bin/python3
"""services in trees that do not run, by the real `systemctl --root`, and with a real OpenRC.

BOOTLACE_BUILD names the build folder. What systemd does when it runs is in tests/boot.
"""

import os
import shutil
import subprocess
import sys
import unittest

from agent import SOURCE, build_folder, needs_program, needs_root, wait_until
from module_call import ModuleTest
from test_manual import Page

sys.path.append(os.path.join(SOURCE, "tests", "rig"))
import host as rig  # noqa: E402  (found by the line above)
import roots  # noqa: E402

UNIT = """\
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
LINK = "etc/systemd/system/multi-user.target.wants/app.service"


@needs_root
@needs_program("systemctl")
class ServicesTest(ModuleTest):
    module = "services"

    def setUp(self):
        super().setUp()
        self.put("usr/lib/systemd/systemd", "", 0o755)

    def services(self, *items, status="changed", **how):
        return self.assert_called(status, {"services": list(items)}, **how)

    def refused(self, item, message):
        self.assert_fails(f"^1 of 1 services failed: .*{message}", {"services": [item]})


class Images(ServicesTest):
    def test_a_unit_and_drop_ins(self):
        called = self.services({"name": "app", "unit": UNIT.rstrip(), "enabled": True,
                                "state": "started", "wait": {"port": 80},
                                "dropins": {"one": "[Service]\nNice=1\n", "two.conf": "# 2"}})
        self.assertEqual(called.items, [
            {"item": "app", "status": "changed",
             "message": "its state is left for when the machine runs"}])
        self.assertEqual(self.text("etc/systemd/system/app.service"), UNIT)
        self.assertEqual(self.text("etc/systemd/system/app.service.d/one.conf"),
                         "[Service]\nNice=1\n")
        self.assertEqual(self.text("etc/systemd/system/app.service.d/two.conf"), "# 2\n")
        self.assertEqual(self.mode("etc/systemd/system/app.service"), 0o644)
        self.assertEqual(os.readlink(self.path(LINK)), "/etc/systemd/system/app.service")

    def test_a_second_run_changes_nothing(self):
        items = [{"name": "app", "unit": UNIT, "enabled": True, "dropins": "[Service]\nNice=1\n"},
                 {"name": "gone.timer", "state": "masked"}, {"name": "app", "enabled": True}]
        self.services(*items)
        self.assertTrue(self.exists("etc/systemd/system/app.service.d/override.conf"))
        before = self.tree()
        self.services(*items, status="unchanged")
        self.assertEqual(self.tree(), before)

    def test_a_name_alone(self):
        self.put("lib/systemd/system/app.service", UNIT)
        self.services("app")
        self.assertTrue(self.exists(LINK))
        self.services({"name": "app.service"}, status="unchanged")

    def test_disabled_and_masked_and_back(self):
        self.put("lib/systemd/system/app.service", UNIT)
        self.services("app")
        self.services({"name": "app", "enabled": False})
        self.assertFalse(self.exists(LINK))
        self.services({"name": "app", "enabled": False}, status="unchanged")
        self.services({"name": "app", "state": "masked"})
        self.assertEqual(os.readlink(self.path("etc/systemd/system/app.service")), "/dev/null")
        self.services({"name": "app", "state": "stopped"}, status="unchanged")
        self.services({"name": "app", "enabled": True})
        self.assertFalse(self.exists("etc/systemd/system/app.service"))
        self.assertTrue(self.exists(LINK))

    def test_names_of_units(self):
        for name, file in (("a", "a.service"), ("a.b", "a.b.service"), ("a.socket", "a.socket"),
                           ("a@", "a@.service"), ("srv-data.mount", "srv-data.mount"),
                           ("a@b.timer", "a@b.timer"), (r"a\x2db", r"a\x2db.service")):
            with self.subTest(name):
                self.services({"name": name, "unit": UNIT})
                self.assertTrue(self.exists(f"etc/systemd/system/{file}"))

    def test_static(self):
        called = self.services({"name": "app", "unit": "[Service]\nExecStart=/bin/true\n",
                                "enabled": True})
        self.assertEqual(called.item("app")["message"],
                         "its unit has no [Install] section: other units start it")

    def test_none_of_that_name(self):
        called = self.assert_fails(
            "^1 of 2 services failed: nothing: there is no such unit; is its package installed",
            {"services": ["nothing", {"name": "app", "unit": UNIT, "enabled": True}]})
        self.assertEqual(called.item("app")["status"], "changed")
        self.assertTrue(self.exists(LINK))

    def test_dry_run(self):
        before = self.tree()
        called = self.services({"name": "app", "unit": UNIT, "enabled": True}, "other",
                               {"name": "third", "state": "masked"}, dry_run=True)
        self.assertEqual(self.tree(), before)
        self.assertIn("would write /etc/systemd/system/app.service (", called.log)
        self.assertIn("other.service: there is no such unit yet", called.log)
        self.assertRegex(called.log, "would run: systemctl --root=.* mask --no-reload -- third")

    def test_no_link_leads_out(self):
        outside = os.path.join(self.work, "outside")
        os.mkdir(outside)
        self.put("etc/systemd/system/x")
        os.symlink(outside, self.path("etc/systemd/system/app.service.d"))
        self.call({"services": [{"name": "app", "dropins": "[Service]\n"}]})
        self.assertEqual(os.listdir(outside), [])


class Settings(ServicesTest):
    def test_wrong_ones(self):
        for item, message in (
                ({}, "item 1: has no name"), (5, "item 1: has no name"),
                ("", "its name is no unit's"), ("../x", "its name is no unit's"),
                ("-x", "its name is no unit's"), ("a b", "its name is no unit's"),
                ("a/b", "its name is no unit's"), ("x" * 256, "its name is no unit's"),
                ({"name": "a", "state": "running"}, "state is none of started, restarted"),
                ({"name": "a", "state": True}, "state is none of"),
                ({"name": "a", "enabled": "yes"}, "enabled is neither true nor false"),
                ({"name": "a", "unit": ["x"]}, "unit is no text"),
                ({"name": "a", "dropins": ["x"]}, "dropins are no texts by name"),
                ({"name": "a", "dropins": {"../x": "x"}}, "a drop-in's name is no name of a file"),
                ({"name": "a", "dropins": {"x": 5}}, "the drop-in x is no text"),
                ({"name": "a", "wait": "long"}, "wait is neither seconds nor port"),
                ({"name": "a", "wait": 0}, "wait is no number from 1 to 86400"),
                ({"name": "a", "wait": {"port": 0}}, "wait.port is no number from 1 to 65535"),
                ({"name": "a", "wait": {"port": "80"}}, "wait.port is no number"),
                ({"name": "a", "wait": {"timeout": 86401}}, "wait.timeout is no number"),
                ({"name": "a", "wait": {"url": 5}}, "wait.url is no text"),
                ({"name": "a", "wait": {"url": "x", "status": 1000}}, "wait.status is no number"),
                ({"name": "a", "wait": {"address": "::1"}}, "wait.address has no port beside it"),
                ({"name": "a", "state": "masked", "unit": UNIT}, "what is masked can be neither"),
                ({"name": "a", "state": "masked", "enabled": True}, "what is masked can be")):
            with self.subTest(item):
                self.refused(item, message)
        self.assert_fails("^services is no list$", {"services": "nginx"})

    def test_none(self):
        for settings in ({"services": None}, {"services": []}):
            self.assert_called("unchanged", settings)

    def test_no_manager(self):
        os.remove(self.path("usr/lib/systemd/systemd"))
        self.assert_fails("^neither systemd nor OpenRC is here$", {"services": ["a"]})

    def test_texts_of_units_are_not_shown(self):
        secret = "Environment=PASSWORD=hunter2"
        called = self.services({"name": "a", "unit": f"[Service]\n{secret}\n",
                                "dropins": {"b": secret}}, dry_run=True)
        self.assertNotIn("hunter2", repr(called))


class Manual(ServicesTest):
    def test_examples_of_the_page(self):
        for name in ("nginx.service", "postgresql.service", "exim4.service"):
            self.put(f"lib/systemd/system/{name}", UNIT)
        blocks = Page("bootlace-services.7").blocks("EXAMPLES")
        self.assertEqual(len(blocks), 4)
        for _, block in blocks:
            self.call(block)
        for name in ("nginx", "app", "postgresql"):
            self.assertTrue(self.exists(LINK.replace("app", name)), name)
        self.assertIn("--port 8000", self.text("etc/systemd/system/app.service"))
        self.assertIn("65536", self.text("etc/systemd/system/postgresql@.service.d/limits.conf"))
        self.assertEqual(os.readlink(self.path("etc/systemd/system/apt-daily.timer")), "/dev/null")


# What an OpenRC service is; `down` makes its start fail.
SCRIPT = """\
#!/sbin/openrc-run
command=/bin/sleep
command_args=1000
command_background=true
pidfile=/run/app.pid
start_pre() { [ ! -e /etc/down ]; }
reload() { echo reloaded >>/etc/reloads; }
extra_started_commands=reload
"""


class OpenRCImages(ServicesTest):
    def setUp(self):
        super().setUp()
        shutil.rmtree(self.path("usr"))
        self.put("sbin/openrc-run", "", 0o755)
        self.put("etc/init.d/app", SCRIPT, 0o755)
        self.put("etc/runlevels/default/.keep")

    def test_enabled_and_disabled(self):
        self.services({"name": "app.service", "enabled": True, "state": "started"})
        self.assertEqual(os.readlink(self.path("etc/runlevels/default/app")), "/etc/init.d/app")
        self.services("app", status="unchanged")
        self.services({"name": "app", "enabled": False})
        self.assertFalse(self.exists("etc/runlevels/default/app"))
        self.services({"name": "app", "enabled": False}, status="unchanged")

    def test_dry_run(self):
        before = self.tree()
        called = self.services("app", "other", dry_run=True)
        self.assertEqual(self.tree(), before)
        self.assertIn("would make /etc/runlevels/default/app a link to /etc/init.d/app", called.log)
        self.assertIn("there is no /etc/init.d/other yet", called.log)

    def test_what_is_systemds(self):
        self.refused({"name": "app", "unit": UNIT}, "units and drop-ins are systemd's")
        self.refused({"name": "app", "dropins": UNIT}, "units and drop-ins are systemd's")
        self.refused({"name": "app", "state": "masked"}, "masked is systemd's")
        self.refused("other", "there is no /etc/init.d/other; is its package installed")


@needs_root
@needs_program("mmdebstrap", "unshare", "nsenter")
class OpenRC(ModuleTest):
    """A real OpenRC in a copy of a Debian, in namespaces of its own."""

    module = "services"
    PACKAGES = ["openrc", "libcurl4", "libexpat1", "libjansson4", "zlib1g", "libyaml-0-2",
                "libasan8", "libubsan1"]

    def setUp(self):
        super().setUp()
        reasons = rig.missing()
        if reasons:
            self.skipTest("missing: " + "; ".join(reasons))
        copy = self.enterContext(roots.Copy(self.PACKAGES))
        self.root = str(copy.root)  # where the test looks at files
        self.put("etc/init.d/app", SCRIPT, 0o755)
        copy.run(["rc-status"], check=False)  # makes its own folders
        self.put("run/openrc/softlevel", "default\n")
        for folder in (build_folder(), self.work):
            os.makedirs(self.path(folder))
            subprocess.run(["mount", "--bind", folder, self.path(folder)], check=True)
        self.leader = self.make_leader()

    def make_leader(self):
        """A process that holds the namespaces, as PID 1 of one of them."""
        holder = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child",
                                   f"--mount-proc={self.path('proc')}", "sleep", "300"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)

        def child():
            with open(f"/proc/{holder.pid}/task/{holder.pid}/children", encoding="ascii") as pids:
                pids = pids.read().split()
            return pids and os.path.exists(self.path("proc/1")) and pids[0]
        return wait_until(child)

    def inside(self, *argv):
        return ["nsenter", f"--target={self.leader}", "--mount", "--pid", "chroot", self.root,
                *argv]

    def services(self, *items, status="changed", **how):
        return self.assert_called(status, {"services": list(items)}, root="/",
                                  wrapper=self.inside(), **how)

    def state(self):
        """The exit code of `rc-service app status`: 0 started, 3 stopped."""
        return subprocess.run(self.inside("rc-service", "app", "status"), check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def reloads(self):
        return self.text("etc/reloads").splitlines() if self.exists("etc/reloads") else []

    def test_started_restarted_reloaded_and_stopped(self):
        self.services("app")
        self.assertEqual(self.state(), 0)
        self.assertTrue(self.exists("etc/runlevels/default/app"))
        first = self.text("run/app.pid")
        self.services("app", status="unchanged")
        restart, reload = ({"name": "app", "state": state} for state in ("restarted", "reloaded"))
        self.services(restart)
        self.assertNotEqual(self.text("run/app.pid"), first)
        self.services(restart, status="unchanged")
        self.services(reload)
        self.services(reload, status="unchanged")
        self.assertEqual(self.reloads(), ["reloaded"])
        self.services({"name": "app", "state": "stopped", "enabled": False})
        self.assertEqual(self.state(), 3)
        self.assertFalse(self.exists("etc/runlevels/default/app"))
        self.services({"name": "app", "state": "stopped", "enabled": False}, status="unchanged")
        self.services({"name": "other", "state": "stopped"}, status="unchanged")

    def test_failing_and_dry(self):
        self.services("app", dry_run=True)
        self.assertEqual(self.state(), 3)
        self.put("etc/down")
        called = self.call({"services": ["app", "nothing",
                                         {"name": "app", "state": "started", "wait": {"port": 1}}]},
                           root="/", wrapper=self.inside())
        self.assertRegex(called.message, "^3 of 3 services failed: app: start: rc-service ended "
                                         "with exit code 1; nothing: there is no /etc/init.d/")
        os.remove(self.path("etc/down"))
        called = self.call({"services": [{"name": "app", "state": "started",
                                          "wait": {"port": 1, "timeout": 1}}]},
                           root="/", wrapper=self.inside())
        self.assertRegex(called.message, "app: port 1 does not answer: Connection refused; waited ")
        self.assertEqual(self.state(), 0)


if __name__ == "__main__":
    unittest.main()
