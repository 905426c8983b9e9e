# Each wrong input is refused at plan, before anything is made.

mock_provider "aws" {}

variables {
  name           = "channel-one"
  primary_source = { name = "studio", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.10/32" }
}

run "a_good_flow_is_accepted" {
  command = plan
}

run "a_flow_name_with_a_space_is_refused" {
  command = plan
  variables { name = "channel one" }
  expect_failures = [var.name]
}

run "a_stack_name_with_an_underscore_is_refused" {
  command = plan
  variables { stack_name = "channel_one" }
  expect_failures = [var.stack_name]
}

run "a_region_is_no_zone" {
  command = plan
  variables { availability_zone = "us-east-1" }
  expect_failures = [var.availability_zone]
}

run "a_size_for_uncompressed_video_is_refused" {
  command = plan
  variables { size = "LARGE_4X" }
  expect_failures = [var.size]
}

run "an_unknown_protocol_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "rtmp", port = 5000, allowed_cidr = "203.0.113.10/32" }
  }
  expect_failures = [var.primary_source]
}

run "a_port_that_zixi_keeps_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "rtp", port = 2088, allowed_cidr = "203.0.113.10/32" }
  }
  expect_failures = [var.primary_source]
}

run "a_missing_port_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "rtp", allowed_cidr = "203.0.113.10/32" }
  }
  expect_failures = [var.primary_source]
}

run "a_source_open_to_anyone_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "rtp", port = 5000, allowed_cidr = "0.0.0.0/0" }
  }
  expect_failures = [var.primary_source]
}

run "a_source_open_to_anyone_is_accepted_if_allowed" {
  command = plan
  variables {
    allow_open_cidr = true
    primary_source  = { name = "studio", protocol = "rtp", port = 5000, allowed_cidr = "0.0.0.0/0" }
  }
}

run "a_range_that_is_none_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.10" }
  }
  expect_failures = [var.primary_source]
}

run "latency_for_rtp_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.10/32", latency_ms = 200 }
  }
  expect_failures = [var.primary_source]
}

run "a_highest_bitrate_for_srt_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "srt-listener", port = 5000, allowed_cidr = "203.0.113.10/32", max_bitrate_bps = 1000000 }
  }
  expect_failures = [var.primary_source]
}

run "an_srt_caller_without_somebody_to_call_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "srt-caller" }
  }
  expect_failures = [var.primary_source]
}

run "encryption_of_rtp_is_refused" {
  command = plan
  variables {
    primary_source = {
      name       = "studio", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.10/32"
      encryption = { key_type = "static-key", secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x" }
    }
  }
  expect_failures = [var.primary_source]
}

run "a_static_key_for_srt_is_refused" {
  command = plan
  variables {
    primary_source = {
      name       = "studio", protocol = "srt-listener", port = 5000, allowed_cidr = "203.0.113.10/32"
      encryption = { key_type = "static-key", secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x" }
    }
  }
  expect_failures = [var.primary_source]
}

run "two_sources_of_one_name_are_refused" {
  command = plan
  variables {
    backup_source = { name = "studio", protocol = "rtp", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "FAILOVER" }
  }
  expect_failures = [var.backup_source]
}

run "two_sources_of_different_protocols_are_refused" {
  command = plan
  variables {
    backup_source = { name = "venue", protocol = "rist", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "FAILOVER" }
  }
  expect_failures = [var.backup_source]
}

run "rtp_and_rtp_fec_may_mix" {
  command = plan
  variables {
    backup_source = { name = "venue", protocol = "rtp-fec", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "MERGE" }
  }
}

run "two_sources_on_one_port_are_refused" {
  command = plan
  variables {
    backup_source = { name = "venue", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.11/32", failover_mode = "FAILOVER" }
  }
  expect_failures = [var.backup_source]
}

run "an_unknown_failover_mode_is_refused" {
  command = plan
  variables {
    backup_source = { name = "venue", protocol = "rtp", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "BOTH" }
  }
  expect_failures = [var.backup_source]
}

run "a_recovery_window_without_merge_is_refused" {
  command = plan
  variables {
    backup_source = { name = "venue", protocol = "rtp", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "FAILOVER", recovery_window_ms = 200 }
  }
  expect_failures = [var.backup_source]
}

run "merging_srt_is_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "srt-listener", port = 5000, allowed_cidr = "203.0.113.10/32" }
    backup_source  = { name = "venue", protocol = "srt-listener", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "MERGE" }
  }
  expect_failures = [var.backup_source]
}

run "fifty_one_outputs_are_refused" {
  command = plan
  variables {
    outputs = { for number in range(51) : "o${number}" => { protocol = "rtp", destination = "198.51.100.1", port = 6000 + number } }
  }
  expect_failures = [var.outputs]
}

run "an_output_name_with_a_dot_is_refused" {
  command = plan
  variables {
    outputs = { "a.b" = { protocol = "rtp", destination = "198.51.100.1", port = 6000 } }
  }
  expect_failures = [var.outputs]
}

run "a_source_protocol_is_refused_for_an_output" {
  command = plan
  variables {
    outputs = { a = { protocol = "cdi", destination = "198.51.100.1", port = 6000 } }
  }
  expect_failures = [var.outputs]
}

run "an_output_port_below_1024_is_refused" {
  command = plan
  variables {
    outputs = { a = { protocol = "rtp", destination = "198.51.100.1", port = 80 } }
  }
  expect_failures = [var.outputs]
}

run "an_output_without_a_destination_is_refused" {
  command = plan
  variables {
    outputs = { a = { protocol = "rtp", port = 6000 } }
  }
  expect_failures = [var.outputs]
}

run "an_output_that_anyone_may_fetch_is_refused" {
  command = plan
  variables {
    outputs = { a = { protocol = "srt-listener", port = 6000, allowed_cidrs = ["0.0.0.0/0"] } }
  }
  expect_failures = [var.outputs]
}

run "latency_for_an_rtp_output_is_refused" {
  command = plan
  variables {
    outputs = { a = { protocol = "rtp", destination = "198.51.100.1", port = 6000, latency_ms = 100 } }
  }
  expect_failures = [var.outputs]
}

run "a_zixi_pull_output_without_a_remote_id_is_refused" {
  command = plan
  variables {
    outputs = { a = { protocol = "zixi-pull", allowed_cidrs = ["198.51.100.0/24"] } }
  }
  expect_failures = [var.outputs]
}

run "encryption_of_a_rist_output_is_refused" {
  command = plan
  variables {
    outputs = { a = {
      protocol   = "rist", destination = "198.51.100.1", port = 6000
      encryption = { key_type = "srt-password", secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x" }
    } }
  }
  expect_failures = [var.outputs]
}

run "an_unknown_maintenance_day_is_refused" {
  command = plan
  variables {
    maintenance = { day = "monday", start_hour = "02:00" }
  }
  expect_failures = [var.maintenance]
}

run "a_half_hour_of_maintenance_is_refused" {
  command = plan
  variables {
    maintenance = { day = "Monday", start_hour = "02:30" }
  }
  expect_failures = [var.maintenance]
}

run "content_monitoring_with_eleven_outputs_is_refused" {
  command = plan
  variables {
    content_monitoring = true
    outputs            = { for number in range(11) : "o${number}" => { protocol = "rtp", destination = "198.51.100.1", port = 6000 + number } }
  }
  expect_failures = [var.content_monitoring]
}

run "content_seconds_below_ten_are_refused" {
  command = plan
  variables {
    content_seconds = 5
  }
  expect_failures = [var.content_seconds]
}

run "ports_that_overlap_are_refused" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "rtp-fec", port = 5000, allowed_cidr = "203.0.113.10/32" }
    backup_source  = { name = "venue", protocol = "rtp", port = 5004, allowed_cidr = "203.0.113.11/32", failover_mode = "MERGE" }
  }
  expect_failures = [var.backup_source]
}
