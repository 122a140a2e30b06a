#!/usr/bin/python3
"""Where credentials, region and endpoints come from: the order of the SDKs, and renewal."""

import errno
import json
import os
import re
import tempfile
import time
import unittest

import botocore.session

from support import AwsTest, IDENTITY, ROLE, ROLES_ITEM, ask, role_answer

def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class FilesTest(AwsTest):
    def setUp(self):
        super().setUp()
        self._folder = tempfile.TemporaryDirectory(prefix="bootlace-aws-")
        self.addCleanup(self._folder.cleanup)
        self.home = self._folder.name

    def put(self, name, text):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def role(self, *answers):
        return {ROLES_ITEM: f"{ROLE}\n", ROLES_ITEM + ROLE: list(answers)}

    def key_used(self, *, metadata=None, **variables):
        """The access key that a call is made with, or the words for why there is none."""
        self.judge.all.clear()
        given = {"HOME": self.home, **variables}
        answers = self.call(IDENTITY, metadata=metadata, variables=given, credentials=False)
        if answers[0]["result"] == -errno.ENOKEY:
            return answers[0]["why"]
        authorization = self.judge.all[0].request.headers["Authorization"]
        return re.search("Credential=([^/]+)/", authorization)[1]


class Credentials(FilesTest):
    def test_order(self):
        metadata = self.role(role_answer("FROM-ROLE", "s", "t", stamp(3600)))
        self.assertEqual(self.key_used(metadata=metadata), "FROM-ROLE")
        self.put(".aws/config", "[default]\naws_access_key_id = FROM-CONFIG\n"
                                "aws_secret_access_key = s\n")
        self.assertEqual(self.key_used(metadata=metadata), "FROM-CONFIG")
        self.put(".aws/credentials", "[default]\naws_access_key_id=FROM-FILE\n"
                                     "aws_secret_access_key=s\n")
        self.assertEqual(self.key_used(metadata=metadata), "FROM-FILE")
        self.assertEqual(self.key_used(metadata=metadata, AWS_ACCESS_KEY_ID="FROM-VARIABLE",
                                       AWS_SECRET_ACCESS_KEY="s"), "FROM-VARIABLE")

    def test_files_and_profiles_as_botocore_reads_them(self):
        credentials = self.put("elsewhere/keys", """
# a comment = of its own
[default]
aws_access_key_id = DEFAULT
aws_secret_access_key = s
[web]
Aws_Access_Key_Id=WEB ; no comment
aws_secret_access_key = s
[ops]
aws_access_key_id\t=\tOPS
s3 =
    aws_access_key_id = NESTED
aws_secret_access_key = s
; [other]
[empty]
""")
        config = self.put("elsewhere/config", """
[profile ops]
region = eu-north-1
[profile   blank]
aws_access_key_id = BLANK
aws_secret_access_key = s
[profile only]
aws_access_key_id = ONLY
aws_secret_access_key = s
region=ap-south-2
[only]
aws_access_key_id = WRONG
aws_secret_access_key = s
""")
        files = {"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config}
        for profile in ("default", "web", "ops", "only"):
            variables = {**files, "AWS_PROFILE": profile}
            saved = dict(os.environ)
            os.environ.update(variables)
            try:
                expected = botocore.session.Session().get_credentials().access_key
            finally:
                os.environ.clear()
                os.environ.update(saved)
            self.assertEqual(self.key_used(**variables), expected)
        self.assertEqual(self.key_used(**files, AWS_PROFILE="blank"), "BLANK")

    def test_home_is_meant_by_a_tilde(self):
        self.put("keys", "[default]\naws_access_key_id=TILDE\naws_secret_access_key=s\n")
        self.assertEqual(self.key_used(AWS_SHARED_CREDENTIALS_FILE="~/keys"), "TILDE")

    def test_token_of_a_file_is_sent(self):
        self.put(".aws/credentials", "[default]\naws_access_key_id=A\naws_secret_access_key=s\n"
                                     "aws_session_token=the-token\n")
        self.key_used()
        self.assertEqual(self.judge.all[0].request.headers["X-Amz-Security-Token"], "the-token")

    def test_none(self):
        words = self.key_used()
        for word in ("no credentials were found", "AWS_ACCESS_KEY_ID", "role"):
            self.assertIn(word, words)

    def test_half_of_them(self):
        self.assertIn("AWS_SECRET_ACCESS_KEY is not", self.key_used(AWS_ACCESS_KEY_ID="A"))
        self.put(".aws/credentials", "[default]\naws_access_key_id=A\n")
        self.assertIn("has no aws_secret_access_key", self.key_used())

    def test_profile_that_is_not_there(self):
        metadata = self.role(role_answer("FROM-ROLE", "s", "t", stamp(3600)))
        self.put(".aws/credentials", "[web]\naws_access_key_id=A\naws_secret_access_key=s\n")
        self.assertIn("AWS_PROFILE is ops, but there is none in",
                      self.key_used(metadata=metadata, AWS_PROFILE="ops"))

    def test_profile_of_another_kind(self):
        self.put(".aws/config", "[profile ops]\nrole_arn = arn:aws:iam::1:role/x\n")
        self.assertIn("by role_arn, which is not supported", self.key_used(AWS_PROFILE="ops"))

    def test_files_that_are_none(self):
        os.mkdir(os.path.join(self.home, ".aws"))
        os.mkfifo(os.path.join(self.home, ".aws", "credentials"))
        os.mkdir(os.path.join(self.home, ".aws", "config"))
        metadata = self.role(role_answer("FROM-ROLE", "s", "t", stamp(3600)))
        self.assertEqual(self.key_used(metadata=metadata), "FROM-ROLE")
        self.assertEqual(self.key_used(metadata=metadata, AWS_CONFIG_FILE="/dev/zero"),
                         "FROM-ROLE")

    def test_files_are_read_to_a_limit(self):
        self.put(".aws/credentials", "#" * (2 << 20) +
                 "\n[default]\naws_access_key_id=A\naws_secret_access_key=s\n")
        self.assertIn("no credentials", self.key_used())

    def test_role_that_answers_otherwise(self):
        for answer, words in (
                (json.dumps({"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume "
                             "the role"}), "AssumeRoleUnauthorizedAccess: EC2 cannot assume"),
                ("<html>", "cannot be read"), ("{}", "cannot be read"),
                (json.dumps({"Code": "Success", "AccessKeyId": "A"}), "cannot be read")):
            self.assertIn(words, self.key_used(metadata=self.role(answer)))
        self.assertIn("gives no credentials of it", self.key_used(metadata={ROLES_ITEM: ROLE}))

    def test_role_s_name_is_no_path(self):
        for name in ("../x", "a/b", "a b", "", "x" * 65):
            self.assertIn("no credentials were found", self.key_used(metadata={ROLES_ITEM: name}))


class Renewal(FilesTest):
    def renewed(self, *answers, calls=2):
        """How often the role was asked, and the answers to the calls."""
        made = self.call(*([IDENTITY] * calls), metadata=self.role(*answers), credentials=False,
                         variables={"HOME": self.home})
        return made.asked.count(ROLES_ITEM + ROLE), made

    def use(self, key_id, token):
        self.judge.credentials = (key_id, "secret", token)

    def test_credentials_that_last_are_asked_for_once(self):
        self.use("AKID", "t")
        count, made = self.renewed(role_answer("AKID", "secret", "t", stamp(3600)), calls=3)
        self.assertEqual([answer["result"] for answer in made], [0, 0, 0])
        self.assertEqual(count, 1)

    def test_those_that_end_soon_are_asked_for_again_but_not_at_once(self):
        self.use("AKID", "t")
        count, made = self.renewed(role_answer("AKID", "secret", "t", stamp(100)), calls=3)
        self.assertEqual([answer["result"] for answer in made], [0, 0, 0])
        self.assertEqual(count, 1)

    def test_those_that_the_service_calls_ended_are_renewed_within_the_call(self):
        for service in ("sts", "ssm", "s3"):
            self.use("OLD", "t1")
            self.judge.expire()
            call = {"sts": IDENTITY,
                    "ssm": {"kind": "json", "service": "ssm", "operation": "GetParameter",
                            "input": {"Name": "a"}},
                    "s3": {"kind": "plain", "service": "s3", "method": "GET", "bucket": "b",
                           "path": "/k"}}[service]
            self.judge.credentials = ("NEW", "secret", "t2")
            self.judge.answer("GetObject", {"Body": ""})
            made = self.call(call, metadata=self.role(
                role_answer("OLD", "secret", "t1", stamp(3600)),
                role_answer("NEW", "secret", "t2", stamp(3600))),
                             credentials=False, variables={"HOME": self.home})
            self.assert_good(made[0])
            self.assertEqual(made[0]["attempts"], 2)

    def test_once_a_call(self):
        self.use("OLD", "t1")
        self.judge.expire()
        count, made = self.renewed(role_answer("OLD", "secret", "t1", stamp(3600)), calls=1)
        self.assert_refused(made[0], "ExpiredToken", "have ended", f"the instance's role {ROLE}")
        self.assertEqual(made[0]["result"], -errno.EKEYEXPIRED)
        self.assertEqual(count, 2)

    def test_those_that_ended_by_our_clock_are_renewed_whatever_the_service_calls_it(self):
        """Ceph's gateway says AccessDenied; an answer to HEAD says nothing."""
        s3 = {"kind": "plain", "service": "s3", "operation": "GetObject", "bucket": "b",
              "path": "/k"}
        for call, status in ((s3, 403), ({**s3, "method": "HEAD", "operation": "HeadObject"}, 400)):
            for ended, asked, attempts in ((stamp(-5), 2, 2), (stamp(3600), 1, 1)):
                with self.subTest(call["operation"], ended=ended):
                    self.use("AKID", "t")
                    self.judge.answer("GetObject", {"Body": ""})
                    self.judge.refuse(call["operation"], "AccessDenied", status=status)
                    made = self.call(call, metadata=self.role(
                        role_answer("AKID", "secret", "t", ended),
                        role_answer("AKID", "secret", "t", stamp(3600))), credentials=False,
                        variables={"HOME": self.home})
                    self.assertEqual(made[0]["attempts"], attempts, made)
                    self.assertEqual(made[0]["result"] == 0, attempts == 2, made)
                    self.assertEqual(made.asked.count(ROLES_ITEM + ROLE), asked)

    def test_variables_are_not_renewed(self):
        self.judge.expire()
        made = self.call(IDENTITY)
        self.assert_refused(made[0], "ExpiredToken")
        self.assertEqual(made[0]["attempts"], 1)


class Region(FilesTest):
    def region(self, **variables):
        return self.call(metadata={"placement/region": "from-metadata-1"},
                         variables={"HOME": self.home, "AWS_REGION": None, **variables}).region

    def test_order(self):
        self.assertEqual(self.region(), "from-metadata-1")
        self.put(".aws/config", "[default]\nregion = from-config-1\n")
        self.assertEqual(self.region(), "from-config-1")
        self.assertEqual(self.region(AWS_DEFAULT_REGION="from-default-1"), "from-default-1")
        self.assertEqual(self.region(AWS_REGION="from-region-1",
                                     AWS_DEFAULT_REGION="from-default-1"), "from-region-1")

    def test_none(self):
        made = self.call({"kind": "plain", "service": "ec2", "path": "/"},
                         variables={"AWS_ENDPOINT_URL": None, "AWS_REGION": None})
        self.assertEqual(made[0]["result"], -errno.ENODATA)
        self.assertIn("no region is known", made[0]["why"])


class Endpoints(FilesTest):
    def place(self, given, **variables):
        done = ask("endpoint", [{"service": "sts", **given}], {"HOME": self.home, **variables})[0]
        return done["why"] or done["base"] + done["prefix"]

    def test_service_s_own(self):
        for service, region, expected in (
                ("sts", "eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
                ("elastic_load_balancing_v2", "us-gov-west-1",
                 "https://elasticloadbalancing.us-gov-west-1.amazonaws.com"),
                ("ec2", "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn"),
                ("s3", "us-iso-east-1", "https://s3.us-iso-east-1.c2s.ic.gov"),
                ("route_53", "eu-west-1", "https://route53.amazonaws.com"),
                ("route_53", "cn-north-1", "https://route53.amazonaws.com.cn"),
                ("route_53", "us-gov-east-1", "https://route53.us-gov.amazonaws.com")):
            self.assertEqual(self.place({"service": service, "region": region}), expected)

    def test_as_botocore_has_them(self):
        """Over every region of its partitions, for the services that modules ask."""
        session = botocore.session.Session()
        resolver = session.get_component("endpoint_resolver")
        asked, expected = [], []
        for partition in ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"):
            for region in session.get_available_regions("ec2", partition):
                for variable, name in (("ec2", "ec2"), ("ssm", "ssm"), ("sts", "sts"),
                                       ("auto_scaling", "autoscaling"), ("s3", "s3"),
                                       ("cloudformation", "cloudformation"),
                                       ("elastic_load_balancing_v2", "elasticloadbalancing"),
                                       ("route_53", "route53")):
                    found = resolver.construct_endpoint(name, region)
                    # The two regions for governments have older names, too, and botocore those.
                    if found and "us-gov" not in found["hostname"]:
                        asked.append({"service": variable, "region": region})
                        expected.append(f"https://{found['hostname']}")
        self.assertGreater(len(expected), 150)
        places = ask("endpoint", asked, {"HOME": self.home})
        self.assertEqual([place["base"] for place in places], expected)

    def test_domain_of_the_metadata_service_is_that_of_its_own_region(self):
        metadata = {"placement/region": "xx-new-1", "services/domain": "bootlace.invalid"}
        call = {"kind": "plain", "service": "ssm", "attempts": 1}
        variables = {"HOME": self.home, "AWS_ENDPOINT_URL": None, "AWS_REGION": None,
                     "https_proxy": "http://proxy.invalid", "no_proxy": "bootlace.invalid"}
        made = self.call(call, {**call, "region": "xx-old-1"}, metadata=metadata,
                         variables=variables)
        self.assertIn("no address is known for ssm.xx-new-1.bootlace.invalid port 443",
                      made[0]["why"])
        self.assertIn("ssm.xx-old-1.amazonaws.com", made[1]["why"])
        self.assertIn("proxy", made[1]["why"])

    def test_buckets(self):
        for bucket, expected in (("site", "https://site.s3.eu-west-1.amazonaws.com"),
                                 ("my-site1", "https://my-site1.s3.eu-west-1.amazonaws.com"),
                                 ("www.site", "https://s3.eu-west-1.amazonaws.com/www.site"),
                                 ("My_Site", "https://s3.eu-west-1.amazonaws.com/My_Site"),
                                 ("-site", "https://s3.eu-west-1.amazonaws.com/-site")):
            self.assertEqual(self.place({"service": "s3", "region": "eu-west-1",
                                         "bucket": bucket}), expected)
        self.assertIn("no name of a bucket", self.place({"service": "s3", "region": "eu-west-1",
                                                         "bucket": "a/b"}))
        self.assertEqual(self.place({"service": "s3", "bucket": "site",
                                     "endpoint": "http://h:8080/x/"}), "http://h:8080/x/site")

    def test_variables_of_other_names(self):
        self.assertEqual(self.place({"service": "s3", "region": "eu-west-1", "bucket": "site"},
                                    AWS_USE_DUALSTACK_ENDPOINT="true"),
                         "https://site.s3.dualstack.eu-west-1.amazonaws.com")
        self.assertEqual(self.place({"service": "ssm", "region": "eu-west-1"},
                                    AWS_USE_DUALSTACK_ENDPOINT="true"),
                         "https://ssm.eu-west-1.api.aws")
        self.assertEqual(self.place({"service": "ssm", "region": "us-east-1"},
                                    AWS_USE_FIPS_ENDPOINT="true"),
                         "https://ssm-fips.us-east-1.amazonaws.com")

    def test_configured_ones_in_order(self):
        self.put(".aws/config", """
[default]
endpoint_url = http://profile
services = local
[services local]
s3 =
  endpoint_url = http://section
  addressing_style = path
route_53 =
  endpoint_url = http://section-53
""")
        where = {"region": "eu-west-1"}
        self.assertEqual(self.place(where), "http://profile")
        self.assertEqual(self.place({"service": "s3", **where}), "http://section")
        self.assertEqual(self.place({"service": "route_53", **where}), "http://section-53")
        variables = {"AWS_ENDPOINT_URL": "http://all"}
        self.assertEqual(self.place({"service": "s3", **where}, **variables), "http://all")
        variables["AWS_ENDPOINT_URL_S3"] = "http://s3"
        self.assertEqual(self.place({"service": "s3", **where}, **variables), "http://s3")
        self.assertEqual(self.place(where, **variables), "http://all")
        self.assertEqual(self.place({"endpoint": "http://own", **where}, **variables),
                         "http://own")
        self.assertEqual(self.place({"service": "s3", **where}, **variables,
                                    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true"),
                         "https://s3.eu-west-1.amazonaws.com")

    def test_urls_that_are_none(self):
        for url in ("ftp://h", "h:80", "http://", "http:///x", "https://u:p@h", "http://h/?q",
                    "http://h h", "http://h#f"):
            self.assertIn("no endpoint", self.place({"endpoint": url}), url)

    def test_regions_that_are_none(self):
        for region in ("a.b", "a/b", "-a", "", "A", "x" * 33):
            self.assertIn("no name of a region", self.place({"region": region}), region)


if __name__ == "__main__":
    unittest.main()
