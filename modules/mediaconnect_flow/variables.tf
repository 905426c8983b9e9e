variable "name" {
  description = "Name of the flow. Changing it replaces the flow: new ARN, new ingest address, off air meanwhile."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name is \"${var.name}\"; use 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "stack_name" {
  description = "Name of the CloudFormation stack that holds the flow. Null: mediaconnect-flow-NAME. Changing it replaces the flow."
  type        = string
  default     = null

  validation {
    condition     = var.stack_name == null || can(regex("^[A-Za-z][A-Za-z0-9-]{0,127}$", var.stack_name))
    error_message = "stack_name is \"${coalesce(var.stack_name, "null")}\"; use a letter, then up to 127 letters, digits and hyphens."
  }
}

variable "availability_zone" {
  description = "Availability Zone of the flow, such as us-east-1a. Null: AWS chooses. Changing it replaces the flow."
  type        = string
  default     = null

  validation {
    condition     = var.availability_zone == null || can(regex("^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$", var.availability_zone))
    error_message = "availability_zone is \"${coalesce(var.availability_zone, "null")}\"; give a zone such as us-east-1a."
  }
}

variable "size" {
  description = "Processing capacity of the flow: MEDIUM or LARGE. LARGE_4X carries CDI and JPEG XS only."
  type        = string
  default     = "MEDIUM"
  nullable    = false

  validation {
    condition     = contains(["MEDIUM", "LARGE"], var.size)
    error_message = "size is \"${var.size}\"; use MEDIUM or LARGE. LARGE_4X carries CDI and JPEG XS only."
  }
}

variable "allow_open_cidr" {
  description = "Accept ranges that end in /0. They let anybody send to the flow or fetch from it."
  type        = bool
  default     = false
  nullable    = false
}

variable "primary_source" {
  description = <<-EOT
    Primary source of the flow. Changing its name replaces the flow.
    protocol: rtp, rtp-fec, rist, srt-listener, srt-caller or zixi-push. port: port on which the flow listens; not for
    srt-caller, which calls listener_address:listener_port, nor for zixi-push, whose port MediaConnect chooses.
    allowed_cidr: IPv4 range that the encoder sends from; not for srt-caller. latency_ms: for rist, SRT and Zixi.
    max_bitrate_bps: for rtp, rtp-fec and rist. stream_id: for srt-caller and zixi-push. encryption: key_type srt-password
    for SRT or static-key for Zixi, with the ARN of a secret in Secrets Manager, and for Zixi algorithm aes128, aes192 or
    aes256 (the default).
  EOT
  nullable    = false
  type = object({
    name             = string
    protocol         = string
    port             = optional(number)
    allowed_cidr     = optional(string)
    latency_ms       = optional(number)
    max_bitrate_bps  = optional(number)
    listener_address = optional(string)
    listener_port    = optional(number)
    stream_id        = optional(string)
    encryption = optional(object({
      key_type   = string
      secret_arn = string
      algorithm  = optional(string)
    }))
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.primary_source.name))
    error_message = "primary_source.name is \"${var.primary_source.name}\"; use 1 to 64 letters, digits, hyphens and underscores."
  }

  validation {
    condition     = contains(local.source_protocols, var.primary_source.protocol)
    error_message = "primary_source.protocol is \"${var.primary_source.protocol}\"; use ${join(", ", local.source_protocols)}."
  }

  validation {
    condition = (lookup(local.source_has_port, var.primary_source.protocol, true)
      ? try(var.primary_source.port >= 1024 && var.primary_source.port <= 65535 && !contains([2077, 2088], var.primary_source.port), false)
      : var.primary_source.port == null
    )
    error_message = "primary_source.port is ${try(coalesce(tostring(var.primary_source.port)), "not set")}; use 1024 to 65535 except 2077 and 2088, and none for srt-caller and zixi-push."
  }

  validation {
    condition     = try(local.protocols[var.primary_source.protocol].source, "") == "calls" ? var.primary_source.allowed_cidr == null : can(cidrnetmask(var.primary_source.allowed_cidr))
    error_message = "primary_source.allowed_cidr is ${coalesce(var.primary_source.allowed_cidr, "not set")}; give an IPv4 range such as 203.0.113.10/32, and none for srt-caller."
  }

  validation {
    condition     = var.allow_open_cidr || !endswith(coalesce(var.primary_source.allowed_cidr, "none"), "/0")
    error_message = "primary_source.allowed_cidr ${coalesce(var.primary_source.allowed_cidr, "none")} lets anyone send video into this flow. Give the encoder's own range, or set allow_open_cidr."
  }

  validation {
    condition = (try(local.protocols[var.primary_source.protocol].source, "") == "calls"
      ? var.primary_source.listener_address != null && var.primary_source.listener_port != null
      : var.primary_source.listener_address == null && var.primary_source.listener_port == null
    )
    error_message = "primary_source.listener_address and listener_port are needed for srt-caller and for nothing else; the protocol is \"${var.primary_source.protocol}\"."
  }

  validation {
    condition     = var.primary_source.latency_ms == null || try(local.protocols[var.primary_source.protocol].latency_property, null) != null
    error_message = "primary_source.latency_ms is set, but ${var.primary_source.protocol} has none; it is for rist, SRT and Zixi."
  }

  validation {
    condition     = var.primary_source.max_bitrate_bps == null || try(local.protocols[var.primary_source.protocol].limits_bitrate, false)
    error_message = "primary_source.max_bitrate_bps is set, but ${var.primary_source.protocol} has none; it is for rtp, rtp-fec and rist."
  }

  validation {
    condition = var.primary_source.encryption == null || try(
      local.protocols[var.primary_source.protocol].key_type == var.primary_source.encryption.key_type, false
    )
    error_message = "primary_source.encryption: SRT takes key_type srt-password, Zixi takes static-key, and ${var.primary_source.protocol} with \"${try(var.primary_source.encryption.key_type, "")}\" does not go together. RTP and RIST cannot be encrypted."
  }
}

variable "backup_source" {
  description = <<-EOT
    Second source, with the attributes of primary_source; null: none. failover_mode FAILOVER switches to it; MERGE
    combines both (RTP only, bit-identical sources, within recovery_window_ms). Both sources have one protocol, but rtp
    and rtp-fec may mix.
  EOT
  default     = null
  type = object({
    name               = string
    protocol           = string
    failover_mode      = string
    recovery_window_ms = optional(number)
    port               = optional(number)
    allowed_cidr       = optional(string)
    latency_ms         = optional(number)
    max_bitrate_bps    = optional(number)
    listener_address   = optional(string)
    listener_port      = optional(number)
    stream_id          = optional(string)
    encryption = optional(object({
      key_type   = string
      secret_arn = string
      algorithm  = optional(string)
    }))
  })

  validation {
    condition     = var.backup_source == null || can(regex("^[A-Za-z0-9_-]{1,64}$", var.backup_source.name))
    error_message = "backup_source.name is \"${try(coalesce(var.backup_source.name), "")}\"; use 1 to 64 letters, digits, hyphens and underscores."
  }

  validation {
    condition     = try(var.backup_source.name, "") != var.primary_source.name
    error_message = "backup_source.name is \"${try(coalesce(var.backup_source.name), "")}\", and so is the primary's; the two sources need names of their own."
  }

  validation {
    condition = var.backup_source == null || try(
      var.backup_source.protocol == var.primary_source.protocol || alltrue([for source in [var.backup_source, var.primary_source] : local.protocols[source.protocol].merges]), false
    )
    error_message = "backup_source.protocol is \"${try(var.backup_source.protocol, "")}\"; it must be that of the primary, ${var.primary_source.protocol} (rtp and rtp-fec may mix)."
  }

  validation {
    condition     = contains(["FAILOVER", "MERGE"], try(var.backup_source.failover_mode, "FAILOVER"))
    error_message = "backup_source.failover_mode is \"${try(var.backup_source.failover_mode, "")}\"; use FAILOVER or MERGE."
  }

  validation {
    condition     = try(var.backup_source.failover_mode, "") != "MERGE" || try(alltrue([for source in [var.backup_source, var.primary_source] : local.protocols[source.protocol].merges]), false)
    error_message = "backup_source.failover_mode is MERGE, which needs RTP sequence numbers; use FAILOVER for ${var.primary_source.protocol}."
  }

  validation {
    condition = try(var.backup_source.recovery_window_ms, null) == null || try(
      var.backup_source.failover_mode == "MERGE" && var.backup_source.recovery_window_ms >= 100 && var.backup_source.recovery_window_ms <= 15000, false
    )
    error_message = "backup_source.recovery_window_ms is ${try(coalesce(tostring(var.backup_source.recovery_window_ms)), "")}; use 100 to 15000, and only with MERGE."
  }

  validation {
    condition = var.backup_source == null || (try(local.source_has_port[var.backup_source.protocol], true)
      ? try(var.backup_source.port >= 1024 && var.backup_source.port <= 65535 && !contains([2077, 2088], var.backup_source.port), false)
      : try(var.backup_source.port, null) == null
    )
    error_message = "backup_source.port is ${try(coalesce(tostring(var.backup_source.port)), "not set")}; use 1024 to 65535 except 2077 and 2088, and none for srt-caller and zixi-push."
  }

  validation {
    condition = try(length(setintersection(
      [for distance in concat([0], local.protocols[var.primary_source.protocol].extra_ports) : var.primary_source.port + distance],
      [for distance in concat([0], local.protocols[var.backup_source.protocol].extra_ports) : var.backup_source.port + distance],
    )) == 0, true)
    error_message = "backup_source.port overlaps that of primary_source: rtp-fec also takes +2 and +4, rist +1. Give each source its own ports."
  }

  validation {
    condition = (var.backup_source == null || (try(local.protocols[var.backup_source.protocol].source, "") == "calls"
      ? try(var.backup_source.allowed_cidr, null) == null
      : can(cidrnetmask(var.backup_source.allowed_cidr)))
    )
    error_message = "backup_source.allowed_cidr is ${try(coalesce(var.backup_source.allowed_cidr), "not set")}; give an IPv4 range such as 203.0.113.10/32, and none for srt-caller."
  }

  validation {
    condition     = var.allow_open_cidr || !endswith(try(coalesce(var.backup_source.allowed_cidr), "none"), "/0")
    error_message = "backup_source.allowed_cidr lets anyone send video into this flow. Give the encoder's own range, or set allow_open_cidr."
  }

  validation {
    condition = try(var.backup_source.encryption, null) == null || try(
      local.protocols[var.backup_source.protocol].key_type == var.backup_source.encryption.key_type, false
    )
    error_message = "backup_source.encryption: SRT takes key_type srt-password, Zixi takes static-key, RTP and RIST cannot be encrypted."
  }
}

variable "outputs" {
  description = <<-EOT
    Outputs by name, up to 50. protocol: rtp, rtp-fec, rist, srt-listener, srt-caller, zixi-push or zixi-pull. destination:
    address of the receiver; srt-listener and zixi-pull listen, and have allowed_cidrs instead: IPv4 ranges that may fetch
    the stream. port: for all but zixi-pull. latency_ms: for rist, SRT and Zixi. stream_id: for SRT and Zixi. remote_id:
    for zixi-pull. enabled: false stops sending, and its data-transfer charges. encryption: as for sources.
  EOT
  default     = {}
  nullable    = false
  type = map(object({
    protocol      = string
    destination   = optional(string)
    port          = optional(number)
    latency_ms    = optional(number)
    allowed_cidrs = optional(list(string))
    stream_id     = optional(string)
    remote_id     = optional(string)
    enabled       = optional(bool, true)
    encryption = optional(object({
      key_type   = string
      secret_arn = string
      algorithm  = optional(string)
    }))
  }))

  validation {
    condition     = length(var.outputs) <= 50
    error_message = "outputs holds ${length(var.outputs)}; a flow takes 50. Use a second flow."
  }

  validation {
    condition     = alltrue([for name in keys(var.outputs) : can(regex("^[A-Za-z0-9_-]{1,128}$", name))])
    error_message = "outputs: use names of 1 to 128 letters, digits, hyphens and underscores, not ${join(", ", [for name in keys(var.outputs) : "\"${name}\"" if !can(regex("^[A-Za-z0-9_-]{1,128}$", name))])}."
  }

  validation {
    condition     = alltrue([for output in values(var.outputs) : contains(keys(local.protocols), output.protocol)])
    error_message = "outputs: use protocol ${join(", ", keys(local.protocols))} in ${join(", ", [for name, output in var.outputs : "${name} (\"${output.protocol}\")"])}."
  }

  validation {
    condition = alltrue([for output in values(var.outputs) : (lookup(local.output_has_port, output.protocol, true)
      ? try(output.port >= 1024 && output.port <= 65535 && !contains([2077, 2088], output.port), false)
      : output.port == null)
    ])
    error_message = "outputs: use ports 1024 to 65535 except 2077 and 2088, and none for zixi-pull, in ${join(", ", [for name, output in var.outputs : "${name} (${try(coalesce(tostring(output.port)), "not set")})"])}."
  }

  validation {
    condition = alltrue([for output in values(var.outputs) : (try(local.protocols[output.protocol].output, "") == "listens"
      ? output.destination == null && length(coalesce(output.allowed_cidrs, [])) > 0
      : output.destination != null && output.allowed_cidrs == null)
    ])
    error_message = "outputs: srt-listener and zixi-pull need allowed_cidrs and no destination, all others a destination and no allowed_cidrs; see ${join(", ", keys(var.outputs))}."
  }

  validation {
    condition     = alltrue([for cidr in flatten([for output in values(var.outputs) : coalesce(output.allowed_cidrs, [])]) : can(cidrnetmask(cidr)) && (var.allow_open_cidr || !endswith(cidr, "/0"))])
    error_message = "outputs: allowed_cidrs must be IPv4 ranges such as 198.51.100.0/24, and none may end in /0 unless allow_open_cidr is set."
  }

  validation {
    condition     = alltrue([for output in values(var.outputs) : output.latency_ms == null || try(local.protocols[output.protocol].latency_property, null) != null])
    error_message = "outputs: rtp and rtp-fec have no latency_ms; it is for rist, SRT and Zixi."
  }

  validation {
    condition     = alltrue([for output in values(var.outputs) : (output.protocol == "zixi-pull") == (output.remote_id != null)])
    error_message = "outputs: zixi-pull needs remote_id, and nothing else has one."
  }

  validation {
    condition = alltrue([for output in values(var.outputs) : output.encryption == null || try(
      local.protocols[output.protocol].key_type == output.encryption.key_type, false
    )])
    error_message = "outputs: encryption takes key_type srt-password for SRT and static-key for Zixi; RTP and RIST cannot be encrypted."
  }
}

variable "maintenance" {
  description = "Two-hour window in which AWS may restart the flow: day (Monday to Sunday) and start_hour in UTC (\"02:00\"). Null: AWS chooses."
  default     = null
  type = object({
    day        = string
    start_hour = string
  })

  validation {
    condition     = var.maintenance == null || contains(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], try(var.maintenance.day, ""))
    error_message = "maintenance.day is \"${try(var.maintenance.day, "")}\"; use Monday to Sunday."
  }

  validation {
    condition     = var.maintenance == null || can(regex("^([01][0-9]|2[0-3]):00$", var.maintenance.start_hour))
    error_message = "maintenance.start_hour is \"${try(var.maintenance.start_hour, "")}\"; give a full hour in UTC such as \"02:00\"."
  }
}

variable "content_monitoring" {
  description = "Detect black frames, frozen frames and silent audio. AWS switches it off above 10 outputs."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.content_monitoring || length(var.outputs) <= 10
    error_message = "content_monitoring is on, but AWS switches it off above 10 outputs, and there are ${length(var.outputs)}."
  }
}

variable "content_seconds" {
  description = "Seconds of black, frozen or silent content before it is reported: 10 to 60."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.content_seconds >= 10 && var.content_seconds <= 60
    error_message = "content_seconds is ${var.content_seconds}; use 10 to 60."
  }
}

variable "protect" {
  description = "Set a stack policy that refuses updates that replace or delete the flow. It does not prevent the deletion of the stack: see \"Protection\" in the README."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of the flow, its stack and the role that reads its keys."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of a permissions boundary for the role that reads the keys. Null: none."
  type        = string
  default     = null
}
