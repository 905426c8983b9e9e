// The same stack as a TypeScript program would make it, after compilation: what each resource is given is read from a
// stack that Python synthesized, so number, kind and content of the resources are the same. Reading settings and
// deciding on rules is left out, which is in favour of this side of the comparison.
//
// node main.js <cdk.tf.json> <output folder>
"use strict";
const fs = require("fs");
const path = require("path");
const { App, TerraformHclModule, TerraformOutput, TerraformResource, TerraformStack, S3Backend } = require("cdktf");

const [, , given, outdir] = process.argv;
const wanted = JSON.parse(fs.readFileSync(given, "utf8"));

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function config(value) {
  if (Array.isArray(value)) return value.map(config);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "//")
      .map(([key, inner]) => (key === "depends_on" ? ["dependsOn", inner.map((fqn) => ({ fqn }))] : [camel(key), config(inner)]))
  );
}

// aws_sns_topic -> { SnsTopic } of @cdktf/provider-aws/lib/sns-topic; some names have an A at their end.
function classOf(type, prefix = "") {
  const folder = prefix + type.replace(/^aws_/, "").replace(/_/g, "-");
  const module = require(`@cdktf/provider-aws/lib/${folder}`);
  const name = camel(`_${folder.replace(/-/g, "_")}`);
  return module[name] || module[`${name}A`];
}

const app = new App({ outdir });
const stack = new TerraformStack(app, "media-workflow");
const { AwsProvider } = require("@cdktf/provider-aws/lib/provider");
new AwsProvider(stack, "aws", config(wanted.provider.aws[0]));
new S3Backend(stack, config({ ...wanted.terraform.backend.s3, use_lockfile: undefined, allowed_account_ids: undefined }));
stack.addOverride("terraform.required_version", wanted.terraform.required_version);
for (const [type, instances] of Object.entries(wanted.data || {}))
  for (const [id, values] of Object.entries(instances)) new (classOf(type, "data-aws-"))(stack, id, config(values));
for (const [type, instances] of Object.entries(wanted.resource)) {
  for (const [id, values] of Object.entries(instances)) {
    if (type !== "terraform_data") new (classOf(type))(stack, id, config(values));
    else new TerraformResource(stack, id, { terraformResourceType: type, lifecycle: values.lifecycle }).addOverride("input", values.input);
  }
}
for (const [id, { source, ...variables }] of Object.entries(wanted.module))
  new TerraformHclModule(stack, id, { source: path.resolve(path.dirname(given), source), skipAssetCreationFromLocalModules: true, variables });
for (const [id, values] of Object.entries(wanted.output)) new TerraformOutput(stack, id, { ...values, staticId: true });
app.synth();
