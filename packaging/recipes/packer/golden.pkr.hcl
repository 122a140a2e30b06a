# A golden AMI of Debian 12: packer build -var 'packages=[…/bootlace_0.1.0_amd64.deb]' golden.pkr.hcl
#
# The builder is an instance of Debian's own image, which cloud-init sets up; provision takes that
# out, bakes and seals. Credentials are those that the AWS SDKs find.

variable "packages" {
  type        = list(string)
  description = "bootlace's package, and parts of it, as cmake --build build --target package makes them."
}

variable "user_data" {
  type        = string
  description = "What is baked into the image."
  default     = "../provision.yaml"
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "instance_type" {
  type        = string
  description = "Of the builder; its kind, x86 or arm64, is that of the packages and the image."
  default     = "t3.small"
}

variable "architecture" {
  type    = string
  default = "amd64"
}

source "amazon-ebs" "golden" {
  region        = var.region
  instance_type = var.instance_type
  ami_name      = "bootlace-golden-{{timestamp}}"

  source_ami_filter {
    filters = {
      name                = "debian-12-${var.architecture}-*"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
    owners      = ["136693071363"] # Debian's account, see wiki.debian.org/Cloud/AmazonEC2Image
    most_recent = true
  }

  ssh_username = "admin"
  # Packer's own key was put there by cloud-init, of which bootlace knows nothing.
  ssh_clear_authorized_keys = true
}

build {
  sources = ["source.amazon-ebs.golden"]

  provisioner "shell" {
    inline = ["cloud-init status --wait", "mkdir /tmp/golden"]
  }

  provisioner "file" {
    sources     = concat(["../provision", "../extra"], var.packages)
    destination = "/tmp/golden/"
  }

  provisioner "file" {
    source      = var.user_data
    destination = "/tmp/golden/provision.yaml"
  }

  provisioner "shell" {
    inline = ["sudo sh /tmp/golden/provision"]
  }
}
