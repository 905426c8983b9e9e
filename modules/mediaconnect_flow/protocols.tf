# The transport protocols of MediaConnect, one row each; every check and property that depends on the protocol reads them.
locals {
  protocols = {
    rtp          = { source = "listens", output = "calls", chooses_port = false, extra_ports = [], latency_property = null, key_type = null, limits_bitrate = true, merges = true }
    rtp-fec      = { source = "listens", output = "calls", chooses_port = false, extra_ports = [2, 4], latency_property = null, key_type = null, limits_bitrate = true, merges = true }
    rist         = { source = "listens", output = "calls", chooses_port = false, extra_ports = [1], latency_property = "MaxLatency", key_type = null, limits_bitrate = true, merges = false }
    srt-listener = { source = "listens", output = "listens", chooses_port = false, extra_ports = [], latency_property = "MinLatency", key_type = "srt-password", limits_bitrate = false, merges = false }
    srt-caller   = { source = "calls", output = "calls", chooses_port = false, extra_ports = [], latency_property = "MinLatency", key_type = "srt-password", limits_bitrate = false, merges = false }
    zixi-push    = { source = "listens", output = "calls", chooses_port = true, extra_ports = [], latency_property = "MaxLatency", key_type = "static-key", limits_bitrate = false, merges = false }
    zixi-pull    = { source = null, output = "listens", chooses_port = true, extra_ports = [], latency_property = "MaxLatency", key_type = "static-key", limits_bitrate = false, merges = false }
  }

  source_protocols = [for name, protocol in local.protocols : name if protocol.source != null]

  # By protocol: whether a source, or an output, has a port of its own.
  source_has_port = { for name, protocol in local.protocols : name => protocol.source == "listens" && !protocol.chooses_port }
  output_has_port = { for name, protocol in local.protocols : name => !(protocol.output == "listens" && protocol.chooses_port) }
}
