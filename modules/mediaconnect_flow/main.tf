# One AWS Elemental MediaConnect flow. hashicorp/aws has no resource for it, so it is held by a CloudFormation stack.
# CloudFormation makes the flow in STANDBY and never starts or stops it.

locals {
  stack_name = coalesce(var.stack_name, "mediaconnect-flow-${replace(var.name, "_", "-")}")

  sources = { for key, source in { primary = var.primary_source, backup = var.backup_source } : key => source if source != null }

  encryptions = concat(
    [for source in values(local.sources) : source.encryption if source.encryption != null],
    [for output in values(var.outputs) : output.encryption if output.encryption != null],
  )
  secret_arns = sort(distinct([for encryption in local.encryptions : encryption.secret_arn]))

  # MediaConnect refuses roles with a path. Past 64 characters the name is cut, and a hash keeps it apart.
  role_name = length("${local.stack_name}-secrets") <= 64 ? "${local.stack_name}-secrets" : "${substr(local.stack_name, 0, 47)}-${substr(sha1(local.stack_name), 0, 8)}-secrets"
  # Put together rather than asked of the role, so that a plan shows the whole template before the role is there.
  role_arn = one([for account in data.aws_caller_identity.current : "arn:${data.aws_partition.current[0].partition}:iam::${account.account_id}:role/${local.role_name}"])

  source_properties = {
    for key, source in local.sources : key => {
      for property, value in {
        Name                  = source.name
        Protocol              = source.protocol
        IngestPort            = source.port
        WhitelistCidr         = source.allowed_cidr
        MaxBitrate            = source.max_bitrate_bps
        MaxLatency            = local.protocols[source.protocol].latency_property == "MaxLatency" ? source.latency_ms : null
        MinLatency            = local.protocols[source.protocol].latency_property == "MinLatency" ? source.latency_ms : null
        SourceListenerAddress = source.listener_address
        SourceListenerPort    = source.listener_port
        StreamId              = source.stream_id
        Decryption = source.encryption == null ? null : {
          for part, content in {
            KeyType = source.encryption.key_type
            # The service refuses an algorithm beside an SRT password.
            Algorithm = source.encryption.key_type == "static-key" ? coalesce(source.encryption.algorithm, "aes256") : null
            RoleArn   = local.role_arn
            SecretArn = source.encryption.secret_arn
          } : part => content if content != null
        }
      } : property => value if value != null
    }
  }

  # Logical ids take letters and digits only, and must not change when other outputs come or go.
  output_ids = { for name in keys(var.outputs) : name => "Output${substr(sha1(name), 0, 12)}" }

  output_resources = {
    for name, output in var.outputs : local.output_ids[name] => {
      Type = "AWS::MediaConnect::FlowOutput"
      Properties = {
        for property, value in {
          FlowArn       = { Ref = "Flow" }
          Name          = name
          Protocol      = output.protocol
          Destination   = output.destination
          Port          = output.port
          CidrAllowList = output.allowed_cidrs
          MaxLatency    = local.protocols[output.protocol].latency_property == "MaxLatency" ? output.latency_ms : null
          MinLatency    = local.protocols[output.protocol].latency_property == "MinLatency" ? output.latency_ms : null
          StreamId      = output.stream_id
          RemoteId      = output.remote_id
          OutputStatus  = output.enabled ? "ENABLED" : "DISABLED"
          Encryption = output.encryption == null ? null : {
            for part, content in {
              KeyType   = output.encryption.key_type
              Algorithm = output.encryption.key_type == "static-key" ? coalesce(output.encryption.algorithm, "aes256") : null
              RoleArn   = local.role_arn
              SecretArn = output.encryption.secret_arn
            } : part => content if content != null
          }
        } : property => value if value != null
      }
    }
  }

  backup_resource = {
    for key, properties in local.source_properties : "BackupSource" => {
      Type       = "AWS::MediaConnect::FlowSource"
      Properties = merge(properties, { FlowArn = { Ref = "Flow" }, Description = "Backup source" })
    } if key == "backup"
  }

  content_analysis = { State = "ENABLED", ThresholdSeconds = var.content_seconds }

  flow_properties = {
    for property, value in {
      Name             = var.name
      AvailabilityZone = var.availability_zone
      FlowSize         = var.size
      Source           = local.source_properties.primary
      SourceFailoverConfig = var.backup_source == null ? null : {
        for part, content in {
          State          = "ENABLED"
          FailoverMode   = var.backup_source.failover_mode
          RecoveryWindow = var.backup_source.recovery_window_ms
          SourcePriority = var.backup_source.failover_mode == "FAILOVER" ? { PrimarySource = var.primary_source.name } : null
        } : part => content if content != null
      }
      # The two states are always given, so that what is taken out later is switched off rather than forgotten. A threshold
      # beside an analysis that is DISABLED contradicts itself, and AWS's own CDK construct refuses it.
      SourceMonitoringConfig = {
        for part, content in {
          ThumbnailState              = length(var.outputs) <= 10 ? "ENABLED" : "DISABLED"
          ContentQualityAnalysisState = var.content_monitoring ? "ENABLED" : "DISABLED"
          VideoMonitoringSettings     = var.content_monitoring ? [{ BlackFrames = local.content_analysis, FrozenFrames = local.content_analysis }] : null
          AudioMonitoringSettings     = var.content_monitoring ? [{ SilentAudio = local.content_analysis }] : null
        } : part => content if content != null
      }
      Maintenance = var.maintenance == null ? null : {
        MaintenanceDay       = var.maintenance.day
        MaintenanceStartHour = var.maintenance.start_hour
      }
      Tags = length(var.tags) == 0 ? null : [for key, value in var.tags : { Key = key, Value = value }]
    } : property => value if value != null
  }

  # A flow that calls listens nowhere, so it has no ingest address to ask for.
  ingest = { for key, source in local.sources : key => local.protocols[source.protocol].source == "listens" }

  template = {
    Description = "MediaConnect flow ${var.name}"
    Resources = merge(
      {
        Flow = merge(
          { Type = "AWS::MediaConnect::Flow", Properties = local.flow_properties },
          # An update in which no resource changes is none to CloudFormation, and a stack policy that came with it is lost;
          # the template's own Metadata cannot be updated by itself. A resource's can, and touches no property of the flow.
          { for attribute, content in { Metadata = { Protected = true } } : attribute => content if var.protect },
        )
      },
      local.backup_resource,
      local.output_resources,
    )
    Outputs = merge(
      {
        FlowArn          = { Value = { Ref = "Flow" } }
        AvailabilityZone = { Value = { "Fn::GetAtt" = ["Flow", "FlowAvailabilityZone"] } }
        EgressIp         = { Value = { "Fn::GetAtt" = ["Flow", "EgressIp"] } }
        SourceArn        = { Value = { "Fn::GetAtt" = ["Flow", "Source.SourceArn"] } }
      },
      { for name, attribute in { IngestIp = "Source.IngestIp", IngestPort = "Source.SourceIngestPort" } :
        name => { Value = { "Fn::GetAtt" = ["Flow", attribute] } } if local.ingest.primary
      },
      { for name, attribute in { BackupSourceArn = "SourceArn", BackupIngestIp = "IngestIp", BackupIngestPort = "SourceIngestPort" } :
        name => { Value = { "Fn::GetAtt" = ["BackupSource", attribute] } }
        if var.backup_source != null && (attribute == "SourceArn" || lookup(local.ingest, "backup", false))
      },
      { for name, id in local.output_ids : id => { Value = { "Fn::GetAtt" = [id, "OutputArn"] } } },
    )
  }

  protection = { Effect = "Deny", Principal = "*", Action = ["Update:Replace", "Update:Delete"], Resource = "LogicalResourceId/Flow" }
}

# What CloudFormation cannot change in place. Without this a replacement hides inside a text diff of the template.
resource "terraform_data" "create_only" {
  input = {
    name              = var.name
    availability_zone = var.availability_zone
    source_name       = var.primary_source.name
  }
}

resource "aws_cloudformation_stack" "this" {
  name          = local.stack_name
  template_body = jsonencode(local.template)

  # For updates only: CloudFormation does not ask it when a stack is deleted, and Terraform replaces a stack by deleting it.
  # A stack policy cannot be taken away, only replaced: "allow all" is what lifts the protection again.
  policy_body = jsonencode({
    Statement = concat(
      [{ Effect = "Allow", Principal = "*", Action = "Update:*", Resource = "*" }],
      [for statement in [local.protection] : statement if var.protect],
    )
  })

  # A stack whose creation failed can only be deleted; so it deletes itself, and the next apply can try again.
  on_failure = "DELETE"
  tags       = var.tags

  lifecycle {
    replace_triggered_by = [terraform_data.create_only]
  }

  depends_on = [aws_iam_role_policy.secrets]
}

data "aws_caller_identity" "current" {
  count = length(local.encryptions) > 0 ? 1 : 0
}

data "aws_partition" "current" {
  count = length(local.encryptions) > 0 ? 1 : 0
}

data "aws_region" "current" {
  count = length(local.encryptions) > 0 ? 1 : 0
}

resource "aws_iam_role" "secrets" {
  count = length(local.encryptions) > 0 ? 1 : 0

  name                 = local.role_name
  path                 = "/"
  description          = "Lets the flow ${var.name} read its keys"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "mediaconnect.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current[0].account_id }
        ArnLike = {
          "aws:SourceArn" = "arn:${data.aws_partition.current[0].partition}:mediaconnect:${data.aws_region.current[0].id}:${data.aws_caller_identity.current[0].account_id}:flow:*:${var.name}"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "secrets" {
  count = length(local.encryptions) > 0 ? 1 : 0

  name = "read-keys"
  role = aws_iam_role.secrets[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetResourcePolicy",
        "secretsmanager:GetSecretValue",
        "secretsmanager:ListSecretVersionIds",
      ]
      Resource = local.secret_arns
    }]
  })
}
