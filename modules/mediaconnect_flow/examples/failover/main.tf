# Two encrypted SRT encoders, of which the second takes over, and one output of each kind that waits for its receiver.

terraform {
  required_version = ">= 1.10"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

module "channel" {
  source = "../.."

  name              = "remote-venue"
  availability_zone = "us-east-1a"
  primary_source = {
    name         = "venue-a"
    protocol     = "srt-listener"
    port         = 5000
    allowed_cidr = "192.0.2.0/25"
    latency_ms   = 500
    encryption = {
      key_type   = "srt-password"
      secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:venue-a-AbCdEf"
    }
  }
  backup_source = {
    name          = "venue-b"
    protocol      = "srt-listener"
    port          = 5100
    allowed_cidr  = "192.0.2.128/25"
    latency_ms    = 500
    failover_mode = "FAILOVER"
    encryption = {
      key_type   = "srt-password"
      secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:venue-b-AbCdEf"
    }
  }
  outputs = {
    srt  = { protocol = "srt-listener", port = 6000, allowed_cidrs = ["198.51.100.0/24"], latency_ms = 300 }
    zixi = { protocol = "zixi-pull", allowed_cidrs = ["198.51.100.0/24"], remote_id = "receiver", latency_ms = 300 }
  }
  content_monitoring = true
  maintenance        = { day = "Tuesday", start_hour = "04:00" }
  protect            = true
  tags               = { Team = "live-video" }
}

output "send_to" {
  description = "Addresses that the two encoders send to."
  value = [
    "${module.channel.ingest_ip}:${module.channel.ingest_port}",
    "${module.channel.backup_ingest_ip}:${module.channel.backup_ingest_port}",
  ]
}
