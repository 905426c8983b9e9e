"""The live impact of changes: one file decides for each subject, and finds it in a change of Terraform.

| Subject | File |
|---|---|
| a flow as a whole: created, deleted, replaced | `flows` |
| its sources and outputs, added or removed | `flow_template` |
| a property of a flow, source or output | `flow_properties`, a table |
| an attribute of any other resource | `attributes`, a table |
| a resource created, removed or replaced | `lifecycle`, a table |
| alarms and monitoring policies | `alarms`, `monitoring_policy` |
| event patterns and stack policies | `event_rules`, `stack_policy` |
| permissions | `permissions`; `grants` compares policy documents |
| severities without a recipient | `recipients` |
| code of the functions | `function_code` |
| monitoring that is removed with its flow | `removed_flow` |

`plan` combines them; `resources` picks the files for one resource; `subjects` names it.
"""
