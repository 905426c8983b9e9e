// The same stacks as a TypeScript program would make them, after compilation: what each resource is given is read from
// stacks that Python synthesized, so number, kind and content of the resources are the same. Reading settings, deciding
// on rules and packing the functions is left out, which is in favour of this side of the comparison.
//
// node main.js <output folder> <cdk.tf.json>...
"use strict";
const fs = require("fs");
const path = require("path");
const { App, LocalBackend, TerraformHclModule, TerraformOutput, TerraformResource, TerraformStack, S3Backend } = require("cdktf");

const [, , outdir, ...given] = process.argv;

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

const { AwsProvider } = require("@cdktf/provider-aws/lib/provider");

function stackOf(app, file) {
  const folder = path.dirname(file);
  const wanted = JSON.parse(fs.readFileSync(file, "utf8"));
  const stack = new TerraformStack(app, path.basename(folder));
  new AwsProvider(stack, "aws", config(wanted.provider.aws[0]));
  const { s3, local } = wanted.terraform.backend;
  if (s3) new S3Backend(stack, config({ ...s3, use_lockfile: undefined, allowed_account_ids: undefined }));
  else new LocalBackend(stack, config(local));
  stack.addOverride("terraform.required_version", wanted.terraform.required_version);
  for (const [type, instances] of Object.entries(wanted.data || {}))
    for (const [id, values] of Object.entries(instances)) new (classOf(type, "data-aws-"))(stack, id, config(values));
  for (const [type, instances] of Object.entries(wanted.resource)) {
    for (const [id, values] of Object.entries(instances)) {
      if (type !== "terraform_data") new (classOf(type))(stack, id, config(values));
      else new TerraformResource(stack, id, { terraformResourceType: type, lifecycle: values.lifecycle }).addOverride("input", values.input);
    }
  }
  for (const [id, { source, ...variables }] of Object.entries(wanted.module || {}))
    new TerraformHclModule(stack, id, { source: path.resolve(folder, source), skipAssetCreationFromLocalModules: true, variables });
  for (const [id, values] of Object.entries(wanted.output)) new TerraformOutput(stack, id, { ...values, staticId: true });
}

const app = new App({ outdir });
for (const file of given) stackOf(app, file);
app.synth();
