# One SRT encoder, two RTP receivers.

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

  name = "channel-one"
  primary_source = {
    name         = "studio"
    protocol     = "srt-listener"
    port         = 5000
    allowed_cidr = "203.0.113.10/32"
    latency_ms   = 200
  }
  outputs = {
    primary = { protocol = "rtp", destination = "198.51.100.10", port = 5001 }
    backup  = { protocol = "rtp", destination = "198.51.100.11", port = 5002 }
  }
  protect = true
}

output "send_to" {
  description = "Address that the encoder sends to."
  value       = "${module.channel.ingest_ip}:${module.channel.ingest_port}"
}

output "flow_arn" {
  description = "ARN of the flow, for start-flow and stop-flow. Changes when the flow is replaced."
  value       = module.channel.flow_arn
}
