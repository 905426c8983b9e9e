output "flow_arn" {
  description = "ARN of the flow. Changes when the flow is replaced."
  value       = aws_cloudformation_stack.this.outputs["FlowArn"]
}

output "flow_name" {
  description = "Name of the flow."
  value       = var.name
}

output "source_arns" {
  description = "ARN of each source by its name."
  value = merge(
    { (var.primary_source.name) = aws_cloudformation_stack.this.outputs["SourceArn"] },
    { for name in var.backup_source[*].name : name => aws_cloudformation_stack.this.outputs["BackupSourceArn"] },
  )
}

output "ingest_ip" {
  description = "Address that the primary encoder sends to. Null for srt-caller, which calls the encoder."
  value       = try(aws_cloudformation_stack.this.outputs["IngestIp"], null)
}

output "ingest_port" {
  description = "Port that the primary encoder sends to. Null for srt-caller."
  value       = try(tonumber(aws_cloudformation_stack.this.outputs["IngestPort"]), null)
}

output "backup_ingest_ip" {
  description = "Address that the backup encoder sends to. Null for srt-caller, and without a backup source."
  value       = try(aws_cloudformation_stack.this.outputs["BackupIngestIp"], null)
}

output "backup_ingest_port" {
  description = "Port that the backup encoder sends to. Null for srt-caller, and without a backup source."
  value       = try(tonumber(aws_cloudformation_stack.this.outputs["BackupIngestPort"]), null)
}

output "egress_ip" {
  description = "Address that the outputs are sent from."
  value       = aws_cloudformation_stack.this.outputs["EgressIp"]
}

output "availability_zone" {
  description = "Availability Zone that the flow runs in."
  value       = aws_cloudformation_stack.this.outputs["AvailabilityZone"]
}

output "output_arns" {
  description = "ARN of each output by its name."
  value       = { for name, id in local.output_ids : name => aws_cloudformation_stack.this.outputs[id] }
}

output "stack_id" {
  description = "ARN of the CloudFormation stack."
  value       = aws_cloudformation_stack.this.id
}

output "template_body" {
  description = "CloudFormation template of the flow, for linters."
  value       = aws_cloudformation_stack.this.template_body
}
