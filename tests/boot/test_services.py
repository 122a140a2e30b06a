#!/usr/bin/python3
"""services in real boots: enabled, started, waited for, and never in the way of the boot."""

import textwrap
import unittest

from boottest import BootTest

# What waits for the run to end, as the last step of a boot that others are ordered after.
GATE = """\
[Service]
Type=oneshot
ExecStart=/bin/sh -c '{program} status --wait --timeout 60 || true'

[Install]
WantedBy=multi-user.target
"""


ANSWER = "read line; printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'\n"


class ServicesTest(BootTest):
    def machine_of(self, text):
        return self.machine("#cloud-config\n" + textwrap.dedent(text))

    @staticmethod
    def step(status):
        [step] = [step for step in status["steps"] if step["name"] == "services"]
        return step

    def items(self, status):
        """Item -> its status and its message."""
        return {item["item"]: (item["status"], item.get("message", ""))
                for item in self.step(status)["items"]}

    @staticmethod
    def show(one, unit, *properties):
        shown = one.run(["systemctl", "show", "--property=" + ",".join(properties), unit]).stdout
        values = dict(line.split("=", 1) for line in shown.splitlines())
        return [values[name] for name in properties]


class Well(ServicesTest):
    CONFIG = """\
        services:
          - name: app
            enabled: true
            state: started
            wait: {port: 8080, timeout: 30}
            unit: |
              [Unit]
              Description=Ordered after all that there is
              After=bootlace.service multi-user.target
              [Service]
              # The port comes a while after the service.
              ExecStart=/bin/sh -c 'sleep 1; systemctl start www.socket; exec sleep infinity'
              [Install]
              WantedBy=multi-user.target
            dropins:
              nice: |
                [Service]
                Nice=7
          - name: www.socket
            wait: {url: "http://127.0.0.1:8080/", timeout: 30}
            state: started
            unit: |
              [Socket]
              ListenStream=127.0.0.1:8080
              Accept=yes
          - name: www@
            unit: |
              [Service]
              StandardInput=socket
              ExecStart=/bin/sh /root/answer
          - {name: sshd, state: reloaded, wait: {port: 22, address: 127.0.0.1}}
          - {name: systemd-networkd, state: restarted}
          - {name: systemd-resolved, state: masked}
          - name: once
            state: started
            unit: |
              [Service]
              Type=oneshot
              ExecStart=/bin/sh -c 'echo ran >>/root/once'
          - {name: dbus.socket, enabled: true}
          - {name: idle, state: stopped, unit: "[Service]\\nExecStart=/bin/sleep infinity\\n"}
          - {name: dpkg-db-backup.timer, enabled: false, state: stopped}
        """

    def test_everything(self):
        one = self.machine_of(self.CONFIG)
        one.write_file("/root/answer", ANSWER)
        self.boot(one)
        status = self.assert_ends(one, "done")
        with self.subTest("what changed"):
            unchanged = {name for name, (state, _) in self.items(status).items()
                         if state == "unchanged"}
            self.assertEqual(unchanged, {"dbus.socket"}, status)
        with self.subTest("how it is"):
            self.assertEqual(self.show(one, "app", "ActiveState", "UnitFileState", "Nice"),
                             ["active", "enabled", "7"])
            self.assertEqual(self.show(one, "systemd-resolved", "LoadState"), ["masked"])
            self.assertEqual(self.show(one, "dpkg-db-backup.timer", "ActiveState", "UnitFileState"),
                             ["inactive", "disabled"])
            self.assertEqual(self.show(one, "ssh", "ActiveState", "NRestarts"), ["active", "0"])
            self.assertEqual(self.show(one, "app", "NeedDaemonReload"), ["no"])
            self.assert_lines(one, "/root/once", ["ran"])
            self.assertEqual(self.items(status)["dbus.socket"][1],
                             "its unit has no [Install] section: other units start it")
            self.assertIn("Reloaded ssh.service", one.journal("--unit=ssh.service"))
        self.assert_again_unchanged(one)
        self.assert_the_next_boot(one)

    def assert_again_unchanged(self, one):
        before = one.run(["systemctl", "show", "--property=InvocationID", "app", "ssh",
                          "systemd-networkd"]).stdout
        one.run([one.image.program, "run", "--rerun", "services"])
        step = self.step(one.status())
        self.assertEqual(step["message"], "0 of 10 services changed", step)
        after = one.run(["systemctl", "show", "--property=InvocationID", "app", "ssh",
                         "systemd-networkd"]).stdout
        self.assertEqual(before, after)
        self.assert_lines(one, "/root/once", ["ran"])

    def assert_the_next_boot(self, one):
        one.reboot()
        self.assert_ends(one, "done")
        one.wait_booted()
        self.assertEqual(self.show(one, "app", "ActiveState"), ["active"])
        self.assert_lines(one, "/root/once", ["ran"])

    def test_a_changed_unit_is_put_to_use(self):
        one = self.machine_of("""\
            services:
              - name: ssh
                state: started
                dropins: |
                  [Service]
                  Nice=3
              - {name: systemd-networkd, state: started}
              - masked
            """)
        one.write_file("/etc/systemd/system/masked.service",
                       "[Service]\nExecStart=/bin/sleep infinity\n"
                       "[Install]\nWantedBy=multi-user.target\n")
        self.boot(one)
        status = self.assert_ends(one, "done")
        self.assertEqual(self.items(status)["ssh"][0], "changed")
        self.assertEqual(self.items(status)["systemd-networkd"][0], "unchanged")
        pid = self.show(one, "ssh", "MainPID")[0]
        self.assertEqual(one.run(["ps", "-o", "ni=", "-p", pid]).stdout.strip(), "3")
        self.assertEqual(one.read_file("/etc/systemd/system/ssh.service.d/override.conf"),
                         "[Service]\nNice=3\n")
        with self.subTest("what was masked is unmasked for a start"):
            one.run(["systemctl", "mask", "--now", "--runtime", "masked"])
            one.run([one.image.program, "run", "--rerun", "services"])
            self.assertEqual(self.show(one, "masked", "ActiveState"), ["active"])
        with self.subTest("a dry run changes nothing"):
            one.run(["systemctl", "disable", "--now", "masked"])
            said = one.run([one.image.program, "run", "--dry-run", "--rerun", "services"])
            for verb in ("enable", "start"):
                self.assertIn(f"would run: systemctl --no-ask-password {verb}",
                              said.stdout + said.stderr)
            self.assertEqual(self.show(one, "masked", "ActiveState", "UnitFileState"),
                             ["inactive", "disabled"])


class Failing(ServicesTest):
    CONFIG = """\
        services:
          - name: crash
            state: started
            unit: |
              [Service]
              ExecStart=/bin/sh -c 'sleep 0.2; echo my last words; exit 3'
          - name: loop
            state: started
            unit: |
              [Service]
              ExecStart=/bin/sh -c 'kill -SEGV $$$$'
              Restart=always
          - name: needs
            state: started
            unit: |
              [Unit]
              Requires=needed.service
              After=needed.service
              [Service]
              ExecStart=/bin/sleep infinity
          - name: needed
            unit: |
              [Service]
              Type=oneshot
              ExecStart=/bin/sh -c 'echo needed said this; false'
          - name: noprogram
            state: started
            unit: |
              [Service]
              ExecStart=/usr/bin/nothing
          - name: condition
            state: started
            unit: |
              [Unit]
              ConditionPathExists=/nothing
              [Service]
              ExecStart=/bin/sleep 10
          - name: bad
            state: started
            unit: |
              [Service]
              Type=oneshot
          - nothere
          - name: static
            enabled: true
            unit: |
              [Service]
              ExecStart=/bin/sleep infinity
          - name: slow
            state: started
            wait: 2
            unit: |
              [Service]
              Type=oneshot
              ExecStart=/bin/sleep 20
          - name: noport
            state: started
            wait: {port: 81, timeout: 1}
            unit: |
              [Service]
              ExecStart=/bin/sleep infinity
          - name: nourl
            state: started
            wait: {url: "http://169.254.169.254/nothing", timeout: 1}
            unit: |
              [Service]
              ExecStart=/bin/sleep infinity
          - name: gone
            state: started
            wait: {port: 82, timeout: 60}
            unit: |
              [Service]
              ExecStart=/bin/sh -c 'sleep 1; exit 4'
          - {name: ssh, state: started}
        """

    MESSAGES = {
        "crash": r"^it was started, and ended at once: Result=exit-code, ExecMainStatus=3\n"
                 r"(.*\n)*.*my last words\n",
        "loop": r"Result=(signal|core-dump), ExecMainStatus=11/SEGV; systemd will start it again\n",
        "needs": r"^start failed: needed.service, which it requires, failed\n(.*\n)*"
                 r".*needed said this\n",
        "noprogram": r"Result=exit-code, ExecMainStatus=203/EXEC: the program of an ExecStart= is ",
        "condition": r"a condition of its unit is not met: ConditionPathExists=/nothing\n",
        "bad": r"^its unit cannot be loaded \(LoadState=bad-setting\)\n(.*\n)*.*has no ExecStart=",
        "nothere": r"^there is no such unit; is its package installed\?$",
        "static": r"^it cannot be enabled: its unit has no \[Install\] section, and no other unit",
        "slow": r"^start took longer than 2 s: it is activating \(start\)\n",
        "noport": r"^port 81 does not answer: Connection refused; waited for it 1 s\n",
        "nourl": r"^the URL answers 404 Not Found, not 200; waited for it 1 s\n",
        "gone": r"^it failed: Result=exit-code, ExecMainStatus=4\n",
    }

    def test_each_says_why(self):
        one = self.machine_of(self.CONFIG)
        one.boot()
        status = self.assert_ends(one, "failed")
        items = self.items(status)
        for name, message in self.MESSAGES.items():
            with self.subTest(name):
                self.assertEqual(items[name][0], "failed")
                self.assertRegex(items[name][1], message)
        self.assertEqual({name for name, (state, _) in items.items() if state != "failed"},
                         {"needed", "ssh"})
        codes = {item["item"]: item.get("exit_code") for item in self.step(status)["items"]}
        self.assertEqual((codes["crash"], codes["gone"], codes["slow"]), (3, 4, None))
        step = self.step(status)
        self.assertRegex(step["message"], "^12 of 14 services failed: crash: it was started, and "
                                          "ended at once: Result=exit-code, ExecMainStatus=3; ")
        self.assertNotIn("last words", step["message"])
        self.assertIn("in the journal:", step["output"])
        self.assertLess(step["duration_ms"], 30000)


class Deadlock(ServicesTest):
    """A unit is ordered after one that waits for the run that starts it."""

    def blocked(self, text):
        one = self.machine_of(text)
        one.write_file("/etc/systemd/system/gate.service", GATE.format(program=one.image.program))
        one.link("/etc/systemd/system/multi-user.target.wants/gate.service", "../gate.service")
        one.write_file("/etc/systemd/system/late.service",
                       "[Unit]\nAfter=multi-user.target gate.service\n"
                       "[Service]\nExecStart=/bin/sleep infinity\n")
        one.boot()
        return one

    def test_it_is_told_and_the_start_follows(self):
        one = self.blocked("""\
            services:
              - {name: late, state: started}
              - {name: ssh, state: started}
            """)
        status = self.assert_ends(one, "done", limit=30)
        self.assertRegex(self.items(status)["late"][1],
                         "^start follows when this run has ended: it is ordered after .*"
                         "gate.service, which waits for this run to end$")
        self.assertEqual(self.items(status)["ssh"][0], "unchanged")
        self.assertLess(status["duration_ms"], 20000)
        one.wait_for_unit("late.service", limit=20)
        self.assert_booted_well(one)

    def test_a_port_of_it_cannot_be_waited_for(self):
        one = self.blocked("""\
            services:
              - {name: late, state: started, wait: {port: 81}}
            """)
        status = self.assert_ends(one, "failed", limit=30)
        self.assertRegex(self.items(status)["late"][1],
                         "^start is left in systemd's queue, and cannot be waited for: it is "
                         "ordered after .*gate.service, which waits for this run to end$")
        one.wait_for_unit("late.service", limit=20)

    def test_a_boot_that_takes_long(self):
        """Nothing waits for the run, but the start waits for the boot: its limit holds."""
        one = self.machine_of("""\
            services:
              - name: late
                state: started
                wait: 2
                unit: |
                  [Unit]
                  After=multi-user.target
                  [Service]
                  ExecStart=/bin/sleep infinity
            """)
        one.write_file("/etc/systemd/system/slow.service",
                       "[Service]\nType=oneshot\nExecStart=/bin/sleep 8\n")
        one.link("/etc/systemd/system/multi-user.target.wants/slow.service", "../slow.service")
        one.boot()
        status = self.assert_ends(one, "failed", limit=30)
        self.assertEqual(self.items(status)["late"][1],
                         "start did not begin within 2 s: it is ordered after multi-user.target, "
                         "which waits for slow.service, which is being started")
        one.wait_for_unit("late.service", limit=30)


if __name__ == "__main__":
    unittest.main()
