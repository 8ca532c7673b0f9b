# The deployment as a whole: what is deployed, as which account, and what each account may do.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789" }
  }
}

mock_provider "google-beta" {}

variables {
  project_id  = "kicks-test"
  location    = "us-central1"
  api_callers = { "robot@kicks-test.iam.gserviceaccount.com" = "operator" }
}

run "everything" {
  command = plan

  assert {
    condition = alltrue([
      for file in fileset(path.module, "**/*.tf") : startswith(file, ".") ||
      !can(regex("allUsers|allAuthenticatedUsers|roles/(owner|editor|viewer)\"|google_service_account_key", file("${path.module}/${file}")))
    ])
    error_message = "every caller needs an identity, no basic role is granted, and no key is made"
  }

  assert {
    condition     = toset(keys(local.functions)) == toset(flatten(regexall("@functions_framework\\.http\\ndef ([a-z_]+)\\(", file("${path.module}/../main.py"))))
    error_message = "every function of main.py has an entry in functions.tf, and no other has"
  }

  assert {
    condition     = { for name, service in merge(module.function, { console = module.console }) : name => service.name } == { for name, _ in local.functions : name => "tminus-${replace(name, "_", "-")}" }
    error_message = "functions are deployed as tminus- and their name with hyphens"
  }

  assert {
    condition     = alltrue([for name, function in local.functions : !contains(["tasks", "scheduler"], coalesce(function.caller, "none")) || function.ingress == "ALLOW_INTERNAL_ONLY"])
    error_message = "what Cloud Tasks and Cloud Scheduler call cannot be reached from the internet"
  }

  assert {
    condition = alltrue([
      for name, function in local.functions :
      function.timeout_seconds <= (name == "build_audience" ? 1800 : function.caller == "scheduler" ? 180 : 600)
    ])
    error_message = "no request outlives its deadline: thirty minutes for an audience, ten for other tasks, three for a scheduler's job"
  }

  assert {
    condition     = length(distinct(concat(values(module.identity.functions), values(module.identity.callers), [module.identity.builder]))) == length(local.functions) + 3
    error_message = "each function, each caller and the builder has an account of its own"
  }

  assert {
    condition = output.grants == tolist([
      "iap: roles/run.invoker on service tminus-console",
      "robot: roles/run.invoker on service tminus-api",
      "tminus-api: projects/kicks-test/roles/tminusSchedulesEdit on project",
      "tminus-api: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-api: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-api: roles/datastore.user on project where only-tminus",
      "tminus-api: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-scheduler-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-api: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-api: roles/storage.objectCreator on bucket kicks-test-tminus-audiences where only-audiences-folders",
      "tminus-api: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-uploads-folders",
      "tminus-build-audience: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-build-audience: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-build-audience: roles/datastore.user on project where only-tminus",
      "tminus-build-audience: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-build-audience: roles/storage.objectCreator on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-build-audience: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-builder: roles/artifactregistry.writer on repository tminus",
      "tminus-builder: roles/logging.logWriter on project",
      "tminus-builder: roles/storage.objectViewer on project where only-function-sources",
      "tminus-checkpoint: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-checkpoint: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-checkpoint: roles/datastore.user on project where only-tminus",
      "tminus-checkpoint: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-console: projects/kicks-test/roles/tminusSchedulesEdit on project",
      "tminus-console: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-console: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-console: roles/datastore.user on project where only-tminus",
      "tminus-console: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-scheduler-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-console: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-console: roles/storage.objectCreator on bucket kicks-test-tminus-audiences where only-audiences-lists-folders",
      "tminus-console: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-lists-folders",
      "tminus-finish: projects/kicks-test/roles/tminusSchedulesRemove on project",
      "tminus-finish: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-finish: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-finish: roles/datastore.user on project where only-tminus",
      "tminus-finish: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-finish: roles/storage.legacyBucketReader on bucket kicks-test-tminus-audiences",
      "tminus-finish: roles/storage.objectCreator on bucket kicks-test-tminus-audiences where only-receipts-folders",
      "tminus-finish: roles/storage.objectUser on bucket kicks-test-tminus-audiences where only-devices-folders",
      "tminus-finish: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-receipts-folders",
      "tminus-launch: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-launch: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-launch: roles/datastore.user on project where only-tminus",
      "tminus-launch: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-reconcile: projects/kicks-test/roles/tminusSchedulesEdit on project",
      "tminus-reconcile: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-reconcile: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-reconcile: roles/datastore.user on project where only-tminus",
      "tminus-reconcile: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-scheduler-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-reconcile: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-scheduler-caller: roles/run.invoker on service tminus-launch",
      "tminus-scheduler-caller: roles/run.invoker on service tminus-reconcile",
      "tminus-send-alert: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-send-alert: roles/datastore.user on project where only-tminus",
      "tminus-send-alert: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-send-push: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-send-push: roles/cloudtasks.enqueuer on queue tminus-shards",
      "tminus-send-push: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-send-push: roles/datastore.user on project where only-tminus",
      "tminus-send-push: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-send-shard: projects/kicks-test/roles/tminusSend on project",
      "tminus-send-shard: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-send-shard: roles/cloudtasks.enqueuer on queue tminus-shards",
      "tminus-send-shard: roles/datastore.user on project where only-tminus",
      "tminus-send-shard: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-send-shard: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-send-test: projects/kicks-test/roles/tminusSend on project",
      "tminus-send-test: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-send-test: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-send-test: roles/datastore.user on project where only-tminus",
      "tminus-send-test: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-send-test: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-task-caller: roles/run.invoker on service tminus-build-audience",
      "tminus-task-caller: roles/run.invoker on service tminus-checkpoint",
      "tminus-task-caller: roles/run.invoker on service tminus-finish",
      "tminus-task-caller: roles/run.invoker on service tminus-send-alert",
      "tminus-task-caller: roles/run.invoker on service tminus-send-push",
      "tminus-task-caller: roles/run.invoker on service tminus-send-shard",
      "tminus-task-caller: roles/run.invoker on service tminus-send-test",
    ])
    error_message = "every right of every account is on this list; another one has to be added to it on purpose"
  }

  assert {
    condition     = local.function_url == "https://tminus-{function}-123456789.us-central1.run.app" && local.function_urls["build_audience"] == "https://tminus-build-audience-123456789.us-central1.run.app"
    error_message = "functions are called by the address that counts as internal and is known beforehand"
  }

  assert {
    condition     = length(setsubtract(keys(local.environment), local.reserved_settings)) == 0
    error_message = "no setting may replace what the deployment decides"
  }

  assert {
    condition     = local.environment["OIDC_SIGNATURES"] != "removed" || alltrue([for name in ["launch", "build_audience", "send_test", "checkpoint", "send_push", "send_shard", "finish", "reconcile", "send_alert"] : contains(["tasks", "scheduler"], local.functions[name].caller)])
    error_message = "tokens without a signature are taken only where Cloud Run verifies callers"
  }

  assert {
    condition     = length(setsubtract(["iamcredentials.googleapis.com", "secretmanager.googleapis.com"], local.apis)) == 0
    error_message = "an API is on before the first request needs it"
  }

  # Terraform has no function for it, so the text says what waits for what.
  assert {
    condition = alltrue([
      can(regex("module \"function\" \\{(?:[^\\n]|\\n[^}])*?depends_on = \\[[^\\]]*module\\.firestore", file("${path.module}/main.tf"))),
      can(regex("module \"console\" \\{(?:[^\\n]|\\n[^}])*?depends_on = \\[[^\\]]*module\\.firestore", file("${path.module}/console.tf"))),
      can(regex("module \"scheduler\" \\{(?:[^\\n]|\\n[^}])*?depends_on = \\[[^\\]]*module\\.function", file("${path.module}/main.tf"))),
      can(regex("data \"google_cloud_run_v2_service\" \"api\" \\{\\s+depends_on = \\[module\\.function\\]", file("${path.module}/console.tf"))),
    ])
    error_message = "functions wait for indexes, the job for its function, and the console's image for the function it is taken from"
  }

  assert {
    condition = alltrue([
      for name in ["prod", "staging"] :
      length(regexall("billing_project\\s+= var.project_id\\s+user_project_override\\s+= true", file("${path.module}/environments/${name}/main.tf"))) == 2
    ])
    error_message = "both providers of each environment have a quota project"
  }

  assert {
    condition     = length([for file in fileset(path.module, "**/*.tf") : file if !startswith(file, ".") && strcontains(file("${path.module}/${file}"), "secret_data")]) == 0
    error_message = "no value of a secret passes through Terraform"
  }

  assert {
    condition     = alltrue([for api in values(google_project_service.this) : api.disable_on_destroy == false])
    error_message = "tearing down leaves on what the app may use"
  }
}

run "archive" {
  command = plan

  assert {
    condition     = can(regex("^source/[0-9a-f]{64}\\.zip$", google_storage_bucket_object.source[0].name)) && google_storage_bucket_object.source[0].name == module.source.name
    error_message = "the archive's name contains the hash of its content"
  }

  assert {
    condition     = alltrue([for file in keys(module.source.files) : can(regex("^(main\\.py|requirements\\.txt|functions/.+|audience_jobs/.+)$", file)) && !can(regex("__pycache__|\\.pyc$|(^|/)\\.", file))])
    error_message = "only what runs is deployed"
  }

  assert {
    condition     = length(setsubtract(["main.py", "requirements.txt", "functions/handlers/jobs/tasks.py", "audience_jobs/contract.py", "audience_jobs/marketplace/tables.toml", "audience_jobs/marketplace/jobs/showcase.py", "audience_jobs/job_files/job.schema.json", "audience_jobs/workspace/tables.schema.json"], keys(module.source.files))) == 0
    error_message = "all that runs is deployed"
  }

  assert {
    condition     = google_storage_bucket_object.source[0].deletion_policy == "ABANDON"
    error_message = "earlier archives stay, to go back to"
  }

  # archive_file and `content` would.
  assert {
    condition = alltrue([
      for file in fileset(path.module, "**/*.tf") : startswith(file, ".") || !can(regex("archive_file|(?m)^\\s+content\\s+= file", file("${path.module}/${file}")))
    ])
    error_message = "sources do not enter Terraform's state"
  }
}

# With the real local-exec: what is uploaded is what was packed.
run "packed" {
  command = apply

  module {
    source = "./modules/source"
  }

  variables {
    tree            = ".."
    workspace       = "workspace"
    workspace_files = { "tminus.toml" = "tests/workspace/tminus.toml" }
    folder          = ".terraform/packed"
  }

  assert {
    condition     = fileexists(output.archive) && output.name == "source/${replace(basename(output.archive), "tminus-", "")}"
    error_message = "the archive is there, under the name that the plan said"
  }

  assert {
    condition     = output.files["workspace/tminus.toml"] == "tests/workspace/tminus.toml"
    error_message = "the workspace lies in its folder"
  }
}

run "without_a_workspace" {
  command = plan

  assert {
    condition     = !contains(keys(local.environment), "WORKSPACE") && length([for name in keys(module.source.files) : name if startswith(name, "workspace/")]) == 0
    error_message = "functions use the built-in marketplace"
  }
}

run "a_workspace" {
  command = plan

  variables {
    workspace = "tests/workspace"
  }

  assert {
    condition = toset([for name in keys(module.source.files) : name if startswith(name, "workspace/")]) == toset([
      "workspace/tminus.toml",
      "workspace/tables.toml",
      "workspace/models/people.sql",
      "workspace/models/devices.sql",
      "workspace/jobs/everybody.sql",
      "workspace/templates/hello.json",
      "workspace/recipes/hello.json",
    ])
    error_message = "the archive has what functions read of the workspace: no data, no .env, nothing else that lies there"
  }

  assert {
    condition     = module.source.files["workspace/models/people.sql"] == "tests/workspace/models/people.sql"
    error_message = "the archive has their content, so that a changed file changes its hash"
  }

  assert {
    condition     = contains(keys(module.source.files), "main.py")
    error_message = "the workspace lies beside the functions, not in their place"
  }

  assert {
    condition     = local.environment["WORKSPACE"] == "workspace"
    error_message = "each function reads the workspace of its source"
  }
}

run "a_workspace_has_tminus_toml" {
  command = plan

  variables {
    workspace = "tests/workspace/models"
  }

  expect_failures = [var.workspace]
}

run "settings_do_not_name_the_workspace" {
  command = plan

  variables {
    settings = { WORKSPACE = "fitness" }
  }

  expect_failures = [var.settings]
}

run "earlier_archive" {
  command = plan

  variables {
    source_archive = "source/earlier.zip"
  }

  assert {
    condition     = local.source_archive == "source/earlier.zip" && length(google_storage_bucket_object.source) == 0
    error_message = "an earlier archive is deployed as it is"
  }
}

run "settings_cannot_replace_what_the_deployment_decides" {
  command = plan

  variables {
    settings = { TASK_CALLER = "other@example.com" }
  }

  expect_failures = [var.settings]
}

run "the_api_lets_in_the_programs_that_are_named_with_their_roles" {
  command = plan

  variables {
    api_callers = {
      "reader@kicks-test.iam.gserviceaccount.com" = "viewer"
      "robot@kicks-test.iam.gserviceaccount.com"  = "operator"
    }
  }

  assert {
    condition     = local.environment["API_CALLERS"] == "reader@kicks-test.iam.gserviceaccount.com:viewer,robot@kicks-test.iam.gserviceaccount.com:operator"
    error_message = "the function knows the role of each program"
  }

  assert {
    condition     = [for grant in output.grants : grant if endswith(grant, "tminus-api")] == ["reader: roles/run.invoker on service tminus-api", "robot: roles/run.invoker on service tminus-api"]
    error_message = "only these programs may call it"
  }
}

run "a_program_has_a_role_that_exists" {
  command = plan

  variables {
    api_callers = { "robot@kicks-test.iam.gserviceaccount.com" = "owner" }
  }

  expect_failures = [var.api_callers]
}

run "secrets_go_to_functions_that_exist" {
  command = plan

  variables {
    secrets = { USER_DATABASE_URL = { secret = "database-url", functions = ["no_such_function"] } }
  }

  expect_failures = [var.secrets]
}

run "a_database_address_goes_to_what_queries" {
  command = plan

  variables {
    secrets = { USER_DATABASE_URL = { secret = "database-url", functions = ["send_shard"] } }
  }

  expect_failures = [var.secrets]
}

run "a_password_in_the_open" {
  command = plan

  variables {
    settings = { SOME_ADDRESS = "postgresql://tminus:hunter2@db.kicks.example/shop" }
  }

  expect_failures = [var.settings]
}

run "a_database_address_in_the_open" {
  command = plan

  variables {
    settings = { USER_DATABASE_URL = "postgresql:///shop" }
  }

  expect_failures = [var.settings]
}

run "names_of_secrets_are_refused" {
  command = plan

  variables {
    settings = { STRIPE_API_KEY = "1" }
  }

  expect_failures = [var.settings]
}

run "a_private_database" {
  command = plan

  variables {
    vpc_connector = "projects/kicks-test/locations/us-central1/connectors/db"
  }

  assert {
    condition     = toset([for name, function in module.function : name if function.vpc_connector == var.vpc_connector]) == toset(["api", "build_audience"]) && module.console.service.template[0].vpc_access[0].connector == var.vpc_connector
    error_message = "what queries the user data reaches their network, and nothing else does"
  }
}

run "a_secret_is_read_by_its_functions_only" {
  command = plan

  variables {
    secrets = { USER_DATABASE_URL = { secret = "database-url", functions = ["build_audience"] } }
  }

  assert {
    condition     = [for grant in output.grants : grant if strcontains(grant, "secret")] == ["tminus-build-audience: roles/secretmanager.secretAccessor on secret database-url"]
    error_message = "only the functions that a secret is for may read it"
  }
}

run "user_data_in_bigquery" {
  command = plan

  variables {
    user_dataset = "kicks-data.shop"
  }

  assert {
    condition = [
      for grant in output.grants : grant if startswith(grant, "tminus-build-audience") || can(regex("bigquery|exports", grant))
      ] == [
      "tminus-api: roles/bigquery.dataViewer on dataset kicks-data.shop",
      "tminus-api: roles/bigquery.jobUser on project",
      "tminus-api: roles/storage.objectUser on bucket kicks-test-tminus-audiences where only-exports-folders",
      "tminus-build-audience: roles/bigquery.dataViewer on dataset kicks-data.shop",
      "tminus-build-audience: roles/bigquery.jobUser on project",
      "tminus-build-audience: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-build-audience: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-build-audience: roles/datastore.user on project where only-tminus",
      "tminus-build-audience: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-build-audience: roles/storage.legacyBucketReader on bucket kicks-test-tminus-audiences",
      "tminus-build-audience: roles/storage.objectCreator on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-build-audience: roles/storage.objectUser on bucket kicks-test-tminus-audiences where only-exports-folders",
      "tminus-build-audience: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-console: roles/bigquery.dataViewer on dataset kicks-data.shop",
      "tminus-console: roles/bigquery.jobUser on project",
      "tminus-console: roles/storage.objectUser on bucket kicks-test-tminus-audiences where only-exports-folders",
    ]
    error_message = "only what builds audiences, or tries to, may query; it reads the dataset alone, and nothing of the bucket but exports/ can it remove"
  }

  assert {
    condition     = local.environment["USER_DATA"] == "bigquery" && local.environment["USER_DATASET"] == "kicks-data.shop" && contains(local.apis, "bigquery.googleapis.com")
    error_message = "the functions know where the user data is"
  }
}

run "user_data_in_tables_of_bigquery" {
  command = plan

  variables {
    user_dataset = "kicks-data.shop"
    workspace    = "tests/workspace"
  }

  assert {
    condition = [for grant in output.grants : grant if startswith(grant, "tminus-build-audience") && strcontains(grant, "bigquery")] == [
      "tminus-build-audience: roles/bigquery.dataViewer on table kicks-data.shop.members",
      "tminus-build-audience: roles/bigquery.dataViewer on table kicks-data.shop.phones",
      "tminus-build-audience: roles/bigquery.jobUser on project",
      "tminus-build-audience: roles/bigquery.metadataViewer on dataset kicks-data.shop",
    ]
    error_message = "where a workspace declares its tables, functions read the rows of these and no other table's"
  }

  assert {
    condition     = length([for grant in output.grants : grant if strcontains(grant, "roles/bigquery.dataViewer on dataset")]) == 0
    error_message = "nothing reads the dataset as a whole"
  }
}

run "user_data_are_in_a_dataset_or_elsewhere" {
  command = plan

  variables {
    user_dataset = "shop"
  }

  expect_failures = [var.user_dataset]
}

run "the_apps_own_database_is_left_alone" {
  command = plan

  module {
    source = "./modules/firestore"
  }

  variables {
    database            = "(default)"
    deletion_protection = true
  }

  expect_failures = [var.database]
}
