/* AWS's services, as far as modules ask them; see aws.h. */
#include <support/aws.h>

const struct aws_service aws_s3 = {
    .name = "S3", .signing = "s3", .prefix = "s3", .variable = "S3", .is_s3 = true};

const struct aws_service aws_route53 = {.name = "Route 53",
                                        .signing = "route53",
                                        .prefix = "route53",
                                        .variable = "ROUTE_53",
                                        .is_global = true};

const struct aws_service aws_ec2 = {
    .name = "EC2", .signing = "ec2", .prefix = "ec2", .variable = "EC2", .version = "2016-11-15"};

const struct aws_service aws_elbv2 = {.name = "Elastic Load Balancing",
                                      .signing = "elasticloadbalancing",
                                      .prefix = "elasticloadbalancing",
                                      .variable = "ELASTIC_LOAD_BALANCING_V2",
                                      .version = "2015-12-01"};

const struct aws_service aws_autoscaling = {.name = "Auto Scaling",
                                            .signing = "autoscaling",
                                            .prefix = "autoscaling",
                                            .variable = "AUTO_SCALING",
                                            .version = "2011-01-01"};

const struct aws_service aws_cloudformation = {.name = "CloudFormation",
                                               .signing = "cloudformation",
                                               .prefix = "cloudformation",
                                               .variable = "CLOUDFORMATION",
                                               .version = "2010-05-15"};

const struct aws_service aws_sts = {
    .name = "STS", .signing = "sts", .prefix = "sts", .variable = "STS", .version = "2011-06-15"};

const struct aws_service aws_ssm = {.name = "Systems Manager",
                                    .signing = "ssm",
                                    .prefix = "ssm",
                                    .variable = "SSM",
                                    .target = "AmazonSSM"};

const struct aws_service aws_secretsmanager = {.name = "Secrets Manager",
                                               .signing = "secretsmanager",
                                               .prefix = "secretsmanager",
                                               .variable = "SECRETS_MANAGER",
                                               .target = "secretsmanager"};
