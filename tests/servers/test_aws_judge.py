#!/usr/bin/python3
"""The judge of AWS requests: what botocore itself sends is right, what is not is told."""

import datetime
import json
import unittest
import urllib.request

import botocore.config
import botocore.exceptions
import botocore.session

from aws_judge import AwsJudge, Fault, KEY_ID, SECRET

WHEN = datetime.datetime(2026, 11, 26, 12, 0, tzinfo=datetime.timezone.utc)

# A call of each protocol that our modules use, and what it is answered.
CALLS = {
    ("route53", "ChangeResourceRecordSets"): (
        {"HostedZoneId": "Z0123456789", "ChangeBatch": {"Comment": "a & b", "Changes": [
            {"Action": "UPSERT", "ResourceRecordSet": {
                "Name": "api.example.com", "Type": "A", "TTL": 60,
                "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}]}}]}},
        {"ChangeInfo": {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": WHEN}}),
    ("route53", "GetChange"): (
        {"Id": "C1"}, {"ChangeInfo": {"Id": "/change/C1", "Status": "INSYNC",
                                      "SubmittedAt": WHEN}}),
    ("route53", "ListResourceRecordSets"): (
        {"HostedZoneId": "Z0123456789", "StartRecordName": "a.example.com", "MaxItems": "1"},
        {"ResourceRecordSets": [{"Name": "a.example.com.", "Type": "A"}], "IsTruncated": False,
         "MaxItems": "1"}),
    ("elbv2", "RegisterTargets"): (
        {"TargetGroupArn": "arn:aws:x", "Targets": [{"Id": "i-1", "Port": 80}, {"Id": "i-2"}]}, {}),
    ("elbv2", "DescribeTargetHealth"): (
        {"TargetGroupArn": "arn:aws:x"},
        {"TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 80},
                                       "TargetHealth": {"State": "healthy"}}]}),
    ("autoscaling", "CompleteLifecycleAction"): (
        {"LifecycleHookName": "h", "AutoScalingGroupName": "g", "InstanceId": "i-1",
         "LifecycleActionResult": "CONTINUE"}, {}),
    ("cloudformation", "SignalResource"): (
        {"StackName": "s", "LogicalResourceId": "r", "UniqueId": "i-1", "Status": "SUCCESS"}, {}),
    ("ec2", "AttachVolume"): (
        {"Device": "/dev/sdf", "InstanceId": "i-1", "VolumeId": "vol-1"},
        {"Device": "/dev/sdf", "State": "attaching", "AttachTime": WHEN}),
    ("ec2", "CreateTags"): (
        {"Resources": ["i-1", "vol-1"], "Tags": [{"Key": "Name", "Value": "a b"}]}, {}),
    ("ec2", "DescribeVolumes"): (
        {"VolumeIds": ["vol-1"]},
        {"Volumes": [{"VolumeId": "vol-1", "State": "in-use",
                      "Attachments": [{"Device": "/dev/sdf", "State": "attached"}]}]}),
    ("ssm", "GetParameter"): (
        {"Name": "/a/b", "WithDecryption": True},
        {"Parameter": {"Name": "/a/b", "Value": "ä", "Version": 3, "LastModifiedDate": WHEN}}),
    ("secretsmanager", "GetSecretValue"): (
        {"SecretId": "x"}, {"SecretString": "geheim", "SecretBinary": b"\0\1"}),
    ("sts", "GetCallerIdentity"): ({}, {"Account": "123456789012", "Arn": "arn:aws:iam::1:u"}),
    ("s3", "ListObjectsV2"): (
        {"Bucket": "b", "Prefix": "p/", "MaxKeys": 2},
        {"KeyCount": 1, "Contents": [{"Key": "p/ä b", "Size": 3}], "IsTruncated": False}),
    ("s3", "PutObject"): ({"Bucket": "b", "Key": "k/ä", "Body": b"x"}, {"ETag": '"e"'}),
}


class JudgeTest(unittest.TestCase):
    def setUp(self):
        self.judge = AwsJudge()
        self.judge.__enter__()
        self.addCleanup(self.judge.__exit__)

    def client(self, service, *, secret=SECRET, token=None):
        style = {"addressing_style": "path"}
        config = botocore.config.Config(retries={"max_attempts": 0}, s3=style, connect_timeout=5,
                                        read_timeout=20)
        return botocore.session.Session().create_client(
            service, region_name="eu-central-2", endpoint_url=self.judge.url,
            aws_access_key_id=KEY_ID, aws_secret_access_key=secret, aws_session_token=token,
            config=config)

    def call(self, service, operation, parameters, **how):
        client = self.client(service, **how)
        name = next(method for method, api in client.meta.method_to_api_mapping.items()
                    if api == operation)
        answer = getattr(client, name)(**parameters)
        answer.pop("ResponseMetadata")
        return answer

    def refused(self, service="sts", operation="GetCallerIdentity", parameters=None, **how):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            self.call(service, operation, parameters or {}, **how)
        return caught.exception.response["Error"]["Code"]


class Right(JudgeTest):
    def test_what_botocore_sends(self):
        for (service, operation), (parameters, output) in CALLS.items():
            with self.subTest(service=service, operation=operation):
                self.judge.answer(operation, output)
                answer = self.call(service, operation, parameters)
                for key, value in output.items():
                    self.assertEqual(answer[key], value)
                self.judge.assert_well()
                call = self.judge.calls(operation)[-1]
                for key, value in parameters.items():
                    self.assertEqual(call.parameters[key], value)

    def test_answers_made_of_parameters(self):
        self.judge.answer("GetParameter", lambda given: {"Parameter": {"Value": given["Name"] * 2}})
        answer = self.call("ssm", "GetParameter", {"Name": "ab"})
        self.assertEqual(answer["Parameter"]["Value"], "abab")

    def test_answer_that_the_model_lacks_is_no_answer(self):
        self.judge.answer("GetParameter", {"Parameter": {"Colour": "red"}})
        self.refused("ssm", "GetParameter", {"Name": "ab"})
        self.assertIn("its answer is wrong", self.judge.problems()[0])


class Wrong(JudgeTest):
    def post(self, body, **headers):
        request = urllib.request.Request(f"{self.judge.url}/", data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8", **headers})
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10)

    def test_no_signature(self):
        self.post(b"Action=GetCallerIdentity&Version=2011-06-15")
        self.assertEqual(self.judge.problems(), ["None: it is not signed"])

    def test_other_secret(self):
        self.assertEqual(self.refused(secret="another"), "SignatureDoesNotMatch")
        self.assertEqual(len(self.judge.problems()), 1)
        self.assertEqual(self.refused("ec2", "CreateTags", CALLS["ec2", "CreateTags"][0],
                                      secret="another"), "AuthFailure")

    def test_token_that_is_not_known(self):
        self.assertEqual(self.refused(token="x"), "InvalidClientTokenId")

    def test_other_clock(self):
        self.judge.clock_s = 3600
        self.assertEqual(self.refused("ssm", "GetParameter", {"Name": "a"}),
                         "InvalidSignatureException")

    def test_ended_credentials(self):
        self.judge.expire()
        self.assertEqual(self.refused(), "ExpiredToken")

    def wrong(self, service, change):
        """What the judge says of a request that was changed before it was signed."""
        client = self.client(service)
        client.meta.events.register_first("before-sign", lambda request, **_: change(request))
        operation = next(name for one, name in CALLS if one == service)
        method = next(method for method, api in client.meta.method_to_api_mapping.items()
                      if api == operation)
        with self.assertRaises(botocore.exceptions.ClientError):
            getattr(client, method)(**CALLS[service, operation][0])
        return "; ".join(self.judge.problems())

    def test_field_that_the_model_lacks(self):
        self.assertIn("is not what botocore makes",
                      self.wrong("elbv2", lambda request: request.data.update({"Colour": "red"})))

    def test_field_of_another_kind(self):
        self.assertTrue(self.wrong("elbv2", lambda request: request.data.update(
            {"Targets.member.1.Port": "eighty"})))

    def test_other_version(self):
        self.assertIn("is not 2011-01-01",
                      self.wrong("autoscaling",
                                 lambda request: request.data.update({"Version": "2010-01-01"})))

    def test_json_that_the_model_lacks(self):
        def change(request):
            request.data = json.dumps({"Name": "a", "Decrypt": True}).encode()

        self.assertIn("Unknown parameter", self.wrong("ssm", change))

    def test_xml_that_the_model_lacks(self):
        def change(request):
            request.data = request.data.replace(b"<TTL>60</TTL>", b"<Ttl>60</Ttl>")

        self.assertIn("is not what botocore makes", self.wrong("route53", change))

    def test_xml_without_what_is_required(self):
        def change(request):
            request.data = request.data.replace(b"<Action>UPSERT</Action>", b"")

        self.assertIn("Missing required parameter", self.wrong("route53", change))


class Scripts(JudgeTest):
    def test_codes_in_their_order_and_number(self):
        self.judge.refuse("GetCallerIdentity", "Throttling", "slowly", times=2)
        self.judge.refuse(None, "InternalFailure", status=500)
        self.assertEqual([self.refused() for _ in range(3)],
                         ["Throttling", "Throttling", "InternalFailure"])
        self.call("sts", "GetCallerIdentity", {})

    def test_every_protocol_has_its_errors(self):
        for service, operation in (("route53", "GetChange"), ("ec2", "CreateTags"),
                                   ("ssm", "GetParameter"), ("s3", "ListObjectsV2")):
            self.judge.refuse(operation, "AccessDenied", "no <no>", status=403)
            self.assertEqual(self.refused(service, operation, CALLS[service, operation][0]),
                             "AccessDenied")

    def test_cut_and_late_answers(self):
        self.judge.fault(None, Fault(cut=20))
        with self.assertRaises(botocore.exceptions.HTTPClientError):
            self.call("sts", "GetCallerIdentity", {})
        self.judge.fault(None, Fault(delay=0.3))
        self.call("sts", "GetCallerIdentity", {})

    def test_any_answer(self):
        self.judge.fault(None, Fault(status=503, body=b"<html>no</html>"))
        self.refused()


if __name__ == "__main__":
    unittest.main()
