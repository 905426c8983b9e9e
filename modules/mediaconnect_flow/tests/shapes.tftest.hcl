# What is made of good inputs.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
}

variables {
  name           = "channel_one"
  primary_source = { name = "studio", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.10/32" }
  outputs        = { primary = { protocol = "rtp", destination = "198.51.100.10", port = 5001 } }
}

run "a_single_rtp_source_needs_no_role_and_no_failover" {
  command = plan

  assert {
    condition     = length(aws_iam_role.secrets) == 0
    error_message = "a role was made though nothing is encrypted"
  }
  assert {
    condition     = keys(jsondecode(output.template_body).Resources) == ["Flow", "Output${substr(sha1("primary"), 0, 12)}"]
    error_message = "resources are ${join(", ", keys(jsondecode(output.template_body).Resources))}"
  }
  assert {
    condition     = !can(jsondecode(output.template_body).Resources.Flow.Properties.SourceFailoverConfig)
    error_message = "failover is configured without a backup source"
  }
  assert {
    condition     = aws_cloudformation_stack.this.name == "mediaconnect-flow-channel-one"
    error_message = "the stack is called ${aws_cloudformation_stack.this.name}"
  }
}

run "a_backup_source_in_failover_names_the_primary" {
  command = plan
  variables {
    backup_source = { name = "venue", protocol = "rtp", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "FAILOVER" }
  }

  assert {
    condition = jsondecode(output.template_body).Resources.Flow.Properties.SourceFailoverConfig == {
      State = "ENABLED", FailoverMode = "FAILOVER", SourcePriority = { PrimarySource = "studio" }
    }
    error_message = jsonencode(jsondecode(output.template_body).Resources.Flow.Properties.SourceFailoverConfig)
  }
  assert {
    condition     = jsondecode(output.template_body).Resources.BackupSource.Properties.Name == "venue"
    error_message = "the backup source is missing"
  }
}

run "merging_has_a_recovery_window" {
  command = plan
  variables {
    backup_source = { name = "venue", protocol = "rtp", port = 5100, allowed_cidr = "203.0.113.11/32", failover_mode = "MERGE", recovery_window_ms = 300 }
  }

  assert {
    condition = jsondecode(output.template_body).Resources.Flow.Properties.SourceFailoverConfig == {
      State = "ENABLED", FailoverMode = "MERGE", RecoveryWindow = 300
    }
    error_message = jsonencode(jsondecode(output.template_body).Resources.Flow.Properties.SourceFailoverConfig)
  }
}

run "an_srt_password_is_read_by_a_role_of_this_flow_only" {
  command = plan
  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
    primary_source = {
      name       = "studio", protocol = "srt-listener", port = 5000, allowed_cidr = "203.0.113.10/32", latency_ms = 200
      encryption = { key_type = "srt-password", secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x" }
    }
  }

  assert {
    condition     = aws_iam_role.secrets[0].path == "/" && aws_iam_role.secrets[0].name == "mediaconnect-flow-channel-one-secrets"
    error_message = "MediaConnect refuses roles with a path"
  }
  assert {
    condition     = aws_iam_role.secrets[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "the role is outside the boundary that is given"
  }
  assert {
    condition     = jsondecode(aws_iam_role.secrets[0].assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == "arn:aws:mediaconnect:us-east-1:123456789012:flow:*:channel_one"
    error_message = "the role can be used for other flows"
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.secrets[0].policy).Statement[0].Resource == ["arn:aws:secretsmanager:us-east-1:123456789012:secret:x"]
    error_message = "the role can read other secrets"
  }
  assert {
    condition     = !can(jsondecode(output.template_body).Resources.Flow.Properties.Source.Decryption.Algorithm)
    error_message = "the service refuses an algorithm beside an SRT password"
  }
  assert {
    condition     = jsondecode(output.template_body).Resources.Flow.Properties.Source.MinLatency == 200
    error_message = "SRT takes its latency as MinLatency"
  }
}

run "a_zixi_output_with_a_static_key_states_its_algorithm" {
  command = plan
  variables {
    outputs = { primary = {
      protocol   = "zixi-push", destination = "198.51.100.10", port = 5001, latency_ms = 300
      encryption = { key_type = "static-key", secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x" }
    } }
  }

  assert {
    condition     = values(jsondecode(output.template_body).Resources)[1].Properties.Encryption.Algorithm == "aes256"
    error_message = "a static key needs an algorithm"
  }
  assert {
    condition     = values(jsondecode(output.template_body).Resources)[1].Properties.Encryption.RoleArn == "arn:aws:iam::123456789012:role/mediaconnect-flow-channel-one-secrets"
    error_message = "the role's ARN is not that of the role"
  }
}

run "protection_denies_replacing_and_deleting_the_flow" {
  command = plan
  variables {
    protect = true
  }

  assert {
    condition = contains(jsondecode(aws_cloudformation_stack.this.policy_body).Statement, {
      Effect = "Deny", Principal = "*", Action = ["Update:Replace", "Update:Delete"], Resource = "LogicalResourceId/Flow"
    })
    error_message = aws_cloudformation_stack.this.policy_body
  }
  assert {
    condition     = jsondecode(output.template_body).Resources.Flow.Metadata == { Protected = true }
    error_message = "a stack policy is applied only with an update that changes a resource"
  }
}

run "without_protection_the_policy_says_so_and_so_lifts_an_earlier_one" {
  command = plan

  assert {
    condition     = jsondecode(aws_cloudformation_stack.this.policy_body).Statement[*].Effect == ["Allow"]
    error_message = aws_cloudformation_stack.this.policy_body
  }
  assert {
    condition     = keys(jsondecode(output.template_body).Resources.Flow) == ["Properties", "Type"]
    error_message = "a flow without protection must not change when this module is upgraded"
  }
}

run "maintenance_content_monitoring_tags_and_a_disabled_output" {
  command = plan
  variables {
    maintenance        = { day = "Tuesday", start_hour = "02:00" }
    content_monitoring = true
    content_seconds    = 20
    tags               = { Team = "live", Environment = "prod" }
    outputs            = { primary = { protocol = "rtp", destination = "198.51.100.10", port = 5001, enabled = false } }
  }

  assert {
    condition     = jsondecode(output.template_body).Resources.Flow.Properties.Maintenance == { MaintenanceDay = "Tuesday", MaintenanceStartHour = "02:00" }
    error_message = "the maintenance window is missing"
  }
  assert {
    condition     = jsondecode(output.template_body).Resources.Flow.Properties.SourceMonitoringConfig.VideoMonitoringSettings[0].BlackFrames == { State = "ENABLED", ThresholdSeconds = 20 }
    error_message = "black frames are not monitored"
  }
  assert {
    condition     = jsondecode(output.template_body).Resources.Flow.Properties.Tags == [{ Key = "Environment", Value = "prod" }, { Key = "Team", Value = "live" }]
    error_message = "tags must be a list of keys and values, in order"
  }
  assert {
    condition     = values(jsondecode(output.template_body).Resources)[1].Properties.OutputStatus == "DISABLED"
    error_message = "the output is not disabled"
  }
}

run "without_content_monitoring_no_threshold_stands_beside_a_disabled_analysis" {
  command = plan

  assert {
    condition = jsondecode(output.template_body).Resources.Flow.Properties.SourceMonitoringConfig == {
      ThumbnailState = "ENABLED", ContentQualityAnalysisState = "DISABLED"
    }
    error_message = jsonencode(jsondecode(output.template_body).Resources.Flow.Properties.SourceMonitoringConfig)
  }
}

run "an_srt_caller_has_no_ingest_address" {
  command = plan
  variables {
    primary_source = { name = "studio", protocol = "srt-caller", listener_address = "203.0.113.10", listener_port = 7000 }
  }

  assert {
    condition     = !can(jsondecode(output.template_body).Outputs.IngestIp)
    error_message = "an SRT caller listens nowhere, so asking for its ingest address would fail the stack"
  }
}

run "explicit_nulls_mean_the_same_as_nothing" {
  command = plan
  variables {
    backup_source = null
    maintenance   = null
    primary_source = {
      name       = "studio", protocol = "rtp", port = 5000, allowed_cidr = "203.0.113.10/32"
      latency_ms = null, max_bitrate_bps = null, listener_address = null, listener_port = null
      stream_id  = null, encryption = null
    }
  }

  assert {
    condition     = keys(jsondecode(output.template_body).Resources.Flow.Properties.Source) == ["IngestPort", "Name", "Protocol", "WhitelistCidr"]
    error_message = jsonencode(jsondecode(output.template_body).Resources.Flow.Properties.Source)
  }
}
