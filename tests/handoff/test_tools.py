#!/usr/bin/python3
"""puppet, chef, ansible: cloud-init's keys for the tools that set a machine up further, with a real
Puppet and a real Ansible, and a stand-in where Debian has no Chef.

BOOTLACE_BUILD names the build folder.
"""

import json
import os
import unittest
import zipfile
from pathlib import Path

from inside import InsideTest
from agent import AgentTest, EXIT_INPUT, EXIT_STEP  # found by the line above
from test_manual import Page

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


class Puppet(InsideTest):
    module = "puppet"

    def setUp(self):
        super().setUp()
        for path in ("/etc/puppet/puppet.conf", "/var/lib/puppet/ssl/certs/ca.pem",
                     "/etc/puppet/csr_attributes.yaml"):
            self.copy.path(path).unlink(missing_ok=True)
        self.programs_log = os.path.join(self.work, "systemctl.log")

    def call_puppet(self, status="changed", variables=None, dry_run=False, **settings):
        return self.call_inside({"puppet": {"start_service": False, **settings}}, status,
                                variables=variables or {}, dry_run=dry_run)

    def told(self, setting, section="agent"):
        """What Puppet itself reads from its files."""
        return self.copy.run(["puppet", "config", "print", setting, "--section",
                              section]).stdout.strip()

    def test_configuration(self):
        before = "# by hand\n[main]\nvardir = /var/lib/puppet\n\n[agent]\n  server = old  \n# end\n"
        self.copy.put("/etc/puppet/puppet.conf", before)
        conf = {"agent": {"server": "puppet.example.com", "splay": True,
                          "certname": "%i.WEB.example.com"},
                "user": {"color": "false"}, "ca_cert": PEM}
        called = self.call_puppet(conf=conf)
        self.assertEqual(self.text_inside("/etc/puppet/puppet.conf"), """\
# by hand
[main]
vardir = /var/lib/puppet

[agent]
server = puppet.example.com
# end
splay = true
certname = i-1.web.example.com

[user]
color = false
""")
        self.assertEqual((self.told("server"), self.told("certname"), self.told("splay")),
                         ("puppet.example.com", "i-1.web.example.com", "true"))
        self.assertEqual(self.text_inside(self.told("ssldir") + "/certs/ca.pem"), PEM)
        self.assertEqual([item["status"] for item in called.items], ["changed", "changed"])
        again = self.call_puppet("unchanged", conf=conf)
        self.assertEqual({item["status"] for item in again.items}, {"unchanged"})

    def test_the_full_name(self):
        name = self.copy.run(["hostname", "--fqdn"], check=False).stdout.strip().lower()
        self.call_puppet(conf={"main": {"certname": "x-%f"}})
        self.assertIn(f"certname = x-{name or '%f'}\n", self.text_inside("/etc/puppet/puppet.conf"))

    def test_attributes_of_the_request(self):
        attributes = {"custom_attributes": {"1.2.840.113549.1.9.7": "the: secret"},
                      "extension_requests": {"pp_role": "web"}}
        called = self.call_puppet(csr_attributes=attributes)
        path = self.copy.path(self.told("csr_attributes"))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        read = self.copy.run(["ruby", "-ryaml", "-rjson", "-e",
                              "puts YAML.load_file(ARGV[0]).to_json", self.told("csr_attributes")])
        self.assertEqual(json.loads(read.stdout), attributes)
        self.assertNotIn("secret", repr(called))

    def test_places_that_are_said(self):
        self.call_puppet(conf_file="/srv/p/puppet.conf", ssl_dir="/srv/p/ssl",
                         csr_attributes_path="/srv/p/csr", conf={"main": {"a": 1}, "ca_cert": PEM},
                         csr_attributes={"extension_requests": {"a": "b"}})
        self.assertEqual(self.text_inside("/srv/p/puppet.conf"), "[main]\na = 1\n")
        self.assertEqual(self.text_inside("/srv/p/ssl/certs/ca.pem"), PEM)
        self.assertEqual(self.text_inside("/srv/p/csr"), '"extension_requests":\n  "a": "b"\n')

    def test_a_real_run(self):
        """The agent without a server: its exit code is kept."""
        called = self.call_puppet("failed", exec=True,
                                  exec_args="--onetime --no-daemonize --server 127.0.0.1 "
                                            "--serverport 9 --http_connect_timeout 1 "
                                            "--waitforcert 0 --detailed-exitcodes")
        self.assertEqual(called.item("puppet agent")["exit_code"], 1)

    def test_changes_are_well(self):
        """A program in Puppet's place: which arguments, and which exit codes are well."""
        for code, arguments, status, words in (
                (2, None, "changed", "agent --test"),
                (2, ["--onetime", "-t"], "changed", "agent --onetime -t"),
                (2, ["--onetime"], "failed", "agent --onetime"),
                (4, "--test  --noop", "failed", "agent --test --noop")):
            self.copy.put("/opt/bin/puppet", '#!/bin/sh\n[ "$1" = config ] && exec '
                          f'/usr/bin/puppet "$@"\necho "$*" >/opt/told\nexit {code}\n', 0o755)
            called = self.call_puppet(status, {"PATH": "/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                                      exec=True,
                                      **({} if arguments is None else {"exec_args": arguments}))
            self.assertEqual(called.item("puppet agent")["exit_code"], code)
            self.assertEqual(self.text_inside("/opt/told").strip(), words)

    def test_the_service(self):
        self.copy.put("/opt/bin/systemctl", '#!/bin/sh\necho "$*" >>/opt/asked\n'
                      'case $1 in is-*) exit 1;; cat) [ "$2" = puppet-agent.service ];; esac\n',
                      0o755)
        self.copy.path("/opt/asked").unlink(missing_ok=True)
        self.call_puppet(variables={"PATH": "/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                         start_service=True)
        asked = self.text_inside("/opt/asked").splitlines()
        self.assertEqual([line for line in asked if not line.startswith(("is-", "cat"))],
                         ["enable puppet-agent.service", "--no-block start puppet-agent.service"])

    def test_dry_run(self):
        called = self.call_puppet("changed", dry_run=True, exec=True, conf={"main": {"a": 1}})
        self.assertIn("would run: puppet agent --test", called.log)
        self.assertFalse(self.copy.path("/etc/puppet/puppet.conf").exists())

    def test_two_lines_are_refused(self):
        self.copy.put("/etc/puppet/puppet.conf", "[main]\n")
        called = self.call_puppet("failed", exec=True, conf={"main": {"a": "1\n[agent]\nb = 2"}})
        self.assertIn("conf.main has a setting that is not one line", called.message)
        self.assertEqual(self.text_inside("/etc/puppet/puppet.conf"), "[main]\n")
        self.assertNotIn("puppet agent", called.log)


class Chef(InsideTest):
    module = "chef"
    SETTINGS = {"server_url": "https://chef.example.com", "validation_name": "it's \\ me",
                "validation_cert": PEM, "run_list": ["role[web]"],
                "initial_attributes": {"a": {"b": [1, "c"]}},
                "directories": ["/etc/chef", "/srv/chef/deep"]}

    def setUp(self):
        super().setUp()
        for path in ("client.rb", "validation.pem", "client.pem", "firstboot.json"):
            self.copy.path(f"/etc/chef/{path}").unlink(missing_ok=True)
        self.client("echo \"$*\" >/opt/told\n")

    def client(self, text):
        self.copy.path("/opt/told").unlink(missing_ok=True)
        self.copy.put("/usr/bin/chef-client", "#!/bin/sh\n" + text, 0o755)

    def configuration(self):
        """client.rb as Ruby reads it: settings are calls."""
        program = "require 'json'; s = {}; module Chef; module Log; class Formatter; class << " \
            "self; attr_accessor :show_time; end; end; end; end; o = Object.new; " \
            "o.define_singleton_method(:method_missing) { |n, *a| s[n] = a[0] }; " \
            "o.instance_eval(File.read('/etc/chef/client.rb')); " \
            "s[:show_time] = Chef::Log::Formatter.show_time; puts s.to_json"
        return json.loads(self.copy.run(["ruby", "-e", program]).stdout)

    def test_configuration(self):
        self.call_inside({"chef": self.SETTINGS})
        self.assertEqual(self.configuration(), {
            "log_level": "info", "ssl_verify_mode": "verify_peer",
            "log_location": "/var/log/chef/client.log", "validation_client_name": "it's \\ me",
            "validation_key": "/etc/chef/validation.pem", "client_key": "/etc/chef/client.pem",
            "chef_server_url": "https://chef.example.com", "environment": "_default",
            "node_name": "i-1", "json_attribs": "/etc/chef/firstboot.json",
            "file_cache_path": "/var/cache/chef", "file_backup_path": "/var/backups/chef",
            "pid_file": "/var/run/chef/client.pid", "show_time": True})
        self.assertEqual(json.loads(self.text_inside("/etc/chef/firstboot.json")),
                         {"run_list": ["role[web]"], "a": {"b": [1, "c"]}})
        self.assertEqual(self.text_inside("/etc/chef/validation.pem"), PEM)
        self.assertEqual(self.copy.path("/etc/chef/validation.pem").stat().st_mode & 0o777, 0o600)
        self.assertTrue(self.copy.path("/srv/chef/deep").is_dir())
        self.call_inside({"chef": self.SETTINGS}, "unchanged")
        self.assertFalse(self.copy.path("/opt/told").exists(), "exec is not asked for")

    def test_the_run(self):
        settings = {**self.SETTINGS, "exec": True, "delete_validation_post_exec": True}
        self.call_inside({"chef": settings})
        self.assertEqual(self.text_inside("/opt/told"), "-d -i 1800 -s 20\n")
        self.assertFalse(self.copy.path("/etc/chef/validation.pem").exists())
        self.copy.put("/etc/chef/client.pem", "its own\n")
        self.call_inside({"chef": {**settings, "exec_arguments": ["--once", "a b"]}})
        self.assertEqual(self.text_inside("/opt/told"), "--once a b\n")
        self.assertFalse(self.copy.path("/etc/chef/validation.pem").exists(),
                         "the validator does not come back once there is a client's key")

    def test_a_run_that_fails(self):
        self.client("echo no server; exit 7\n")
        settings = {**self.SETTINGS, "exec": True, "delete_validation_post_exec": True}
        called = self.call_inside({"chef": settings}, "failed")
        self.assertEqual(called.item("chef-client")["exit_code"], 7)
        self.assertTrue(self.copy.path("/etc/chef/validation.pem").exists())
        self.assertNotIn("MIIB", repr(called))

    def test_dry_run(self):
        called = self.call_inside({"chef": {**self.SETTINGS, "exec": True}}, dry_run=True)
        self.assertIn("would run: /usr/bin/chef-client", called.log)
        self.assertFalse(self.copy.path("/etc/chef/client.rb").exists())


class Ansible(InsideTest):
    module = "ansible"
    PLAY = """\
- hosts: all
  connection: local
  gather_facts: false
  tasks:
  - copy: {content: "%s {{ role|default('none') }}\\n", dest: /tmp/%s, mode: "0644"}
"""

    def setUp(self):
        super().setUp()
        if not self.copy.path("/srv/play/.git").exists():
            self.make_repository("/srv/play", local_yml=self.PLAY % ("pulled", "bl-pulled"),
                                 second_yml=self.PLAY % ("second", "bl-second"),
                                 hosts="localhost ansible_connection=local\n")
        for name in ("bl-pulled", "bl-second"):
            path = Path("/tmp") / name
            path.unlink(missing_ok=True)
            self.addCleanup(path.unlink, missing_ok=True)

    def pull(self, **more):
        return {"url": "file:///srv/play", "inventory": "localhost,", **more}

    def test_pull(self):
        called = self.call_inside({"ansible": {"pull": self.pull(
            playbook_name="local.yml", full=True, clean=False, extra_vars="role=web")}})
        self.assertEqual(self.text_inside("/tmp/bl-pulled"), "pulled web\n")
        self.assertEqual(called.item("ansible-pull local.yml")["exit_code"], 0)

    def test_several(self):
        called = self.call_inside({"ansible": {"pull": [
            self.pull(playbook_names=["local.yml", "absent.yml"]),
            self.pull(playbook_name="second.yml")]}}, "failed")
        self.assertEqual([item["status"] for item in called.items],
                         ["changed", "failed", "changed"])
        self.assertEqual(self.text_inside("/tmp/bl-second"), "second none\n")

    def test_as_somebody(self):
        self.copy.run(["useradd", "--create-home", "player"], check=False)
        self.copy.run(["chown", "-R", "player:", "/srv/play"])
        self.addCleanup(self.copy.run, ["chown", "-R", "root:", "/srv/play"])
        self.call_inside({"ansible": {"run_user": "player", "pull": self.pull(
            playbook_name="local.yml")}})
        owner = self.copy.path("/tmp/bl-pulled").stat().st_uid
        self.assertEqual(self.copy.run(["id", "-u", "player"]).stdout.strip(), str(owner))
        self.assertTrue(self.copy.path("/home/player/.ansible").is_dir())
        called = self.call_inside({"ansible": {"run_user": "nobody-there", "pull": self.pull(
            playbook_name="local.yml")}}, "failed")
        self.assertIn("there is no user nobody-there", called.message)

    def test_a_controller(self):
        settings = {"setup_controller": {
            "repositories": [{"path": "/srv/clone", "source": "file:///srv/play"}],
            "run_ansible": [{"playbook_dir": "/srv/clone", "playbook_name": "local.yml",
                             "inventory": "hosts", "forks": 2, "extra_vars": "role=db",
                             "check": False}]}}
        self.call_inside({"ansible": settings})
        self.assertEqual(self.text_inside("/tmp/bl-pulled"), "pulled db\n")
        called = self.call_inside({"ansible": settings})
        self.assertEqual(called.item("/srv/clone")["message"], "it is there already")

    def make_wheel(self):
        """A package of Python's, whose ansible-pull tells what it is given."""
        folder = self.copy.path("/srv/wheels")
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(folder / "ansible-1.0-py3-none-any.whl", "w") as wheel:
            about = "ansible-1.0.dist-info"
            wheel.writestr("pulled.py", "import sys\n\ndef main():\n"
                           "    open('/tmp/bl-pulled', 'w').write(' '.join(sys.argv))\n")
            wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: ansible\n"
                           "Version: 1.0\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\n"
                           "Root-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/entry_points.txt",
                           "[console_scripts]\nansible-pull = pulled:main\n")
            wheel.writestr(f"{about}/RECORD", "")

    def test_by_pip(self):
        self.make_wheel()
        self.addCleanup(self.copy.run, ["python3", "-m", "pip", "uninstall", "--yes",
                                        "--break-system-packages", "ansible"], check=False)
        variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/srv/wheels",
                     "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        settings = {"install_method": "pip", "pull": {"url": "u", "playbook_name": "p.yml"}}
        self.copy.run(["useradd", "--create-home", "pipper"], check=False)
        self.call_inside({"ansible": {"run_user": "pipper", **settings}}, variables=variables)
        self.assertEqual(self.text_inside("/tmp/bl-pulled"),
                         "/home/pipper/.local/bin/ansible-pull --url=u p.yml")
        Path("/tmp/bl-pulled").unlink()
        self.call_inside({"ansible": settings}, variables=variables)
        self.assertEqual(self.text_inside("/tmp/bl-pulled"),
                         "/usr/local/bin/ansible-pull --url=u p.yml")

    def test_galaxy_and_configuration(self):
        self.copy.put("/etc/own.cfg", "[defaults]\ncollections_path = /srv/collections\n")
        called = self.call_inside({"ansible": {
            "ansible_config": "/etc/own.cfg",
            "galaxy": {"actions": [["ansible-galaxy", "collection", "init", "a.b", "--init-path",
                                    "/srv/made"], ["sh", "-c", "touch /tmp/bl-pulled"]]}}},
            "failed")
        self.assertTrue(self.copy.path("/srv/made/a/b/galaxy.yml").exists())
        self.assertIn("its first word is not ansible-galaxy", called.message)
        self.assertFalse(Path("/tmp/bl-pulled").exists())

    def test_dry_run(self):
        called = self.call_inside({"ansible": {"pull": self.pull(playbook_name="local.yml")}},
                                  dry_run=True)
        self.assertIn("would run: ansible-pull", called.log)
        self.assertFalse(Path("/tmp/bl-pulled").exists())


class Settings(AgentTest):
    def test_values_that_are_wrong(self):
        for text in ("puppet: {install_type: aio}", "puppet: {conf: {main: {a: [b]}}}",
                     "puppet: {conf_file: puppet.conf}", "chef: {install_type: gems}", "chef: {}",
                     "chef: {log_level: 'info; exit'}", "chef: {ssl_verify_mode: none}",
                     "ansible: {install_method: easy}", "ansible: {package_name: -x}",
                     "ansible: {pull: {playbook_name: a}}",
                     "ansible: {setup_controller: {run_ansible: [{playbook_name: a}]}}"):
            path = self.machine.put("given", f"#cloud-config\n{text}\n")
            self.assert_code(self.machine.agent("validate", path), EXIT_INPUT)

    def test_secrets_are_not_shown(self):
        path = self.machine.put("given", "#cloud-config\nchef: {validation_cert: hunter2}\n"
                                "puppet: {csr_attributes: {custom_attributes: {a: hunter2}}}\n")
        shown = self.machine.agent("inspect", "--format", "json", path)
        self.assertNotIn("hunter2", repr(shown))
        self.assertIn("(redacted)", repr(shown))

    def test_the_pages(self):
        for name in ("puppet", "chef", "ansible"):
            for _, text in Page(f"bootlace-{name}.7").blocks("EXAMPLES"):
                path = self.machine.put("given", "#cloud-config\n" + text)
                self.assert_code(self.machine.agent("validate", path), 0)

    def test_a_failure_is_kept(self):
        """Through the agent: what failed is in the status, with its exit code."""
        program = self.machine.put("bin/ansible-pull", "#!/bin/sh\nexit 5\n", 0o755)
        self.machine.seed("#cloud-config\nansible: {pull: {url: 'http://a/b', playbook_name: c}}\n"
                          "packages: []\n")
        self.assert_run(EXIT_STEP, variables={"PATH": os.path.dirname(program)})
        self.assert_step("ansible", status="failed", exit_code=5)


if __name__ == "__main__":
    unittest.main()
