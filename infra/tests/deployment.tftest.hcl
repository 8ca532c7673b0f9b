# The deployment as a whole: what is deployed, as which account, and what each account may do.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789" }
  }
}

mock_provider "google-beta" {}
mock_provider "archive" {}

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
    condition     = alltrue([for function in values(local.functions) : function.timeout_seconds <= (function.caller == "scheduler" ? 180 : 600)])
    error_message = "no request outlives its deadline: ten minutes for a task, three for a scheduler's job"
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
      "tminus-build-audience: roles/datastore.user on project where only-tminus",
      "tminus-build-audience: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-build-audience: roles/storage.objectCreator on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-build-audience: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-builder: roles/artifactregistry.writer on repository tminus",
      "tminus-builder: roles/logging.logWriter on project",
      "tminus-builder: roles/storage.objectViewer on project where only-function-sources",
      "tminus-checkpoint: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-checkpoint: roles/datastore.user on project where only-tminus",
      "tminus-checkpoint: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-console: projects/kicks-test/roles/tminusSchedulesEdit on project",
      "tminus-console: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-console: roles/cloudtasks.enqueuer on queue tminus-steps",
      "tminus-console: roles/datastore.user on project where only-tminus",
      "tminus-console: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-scheduler-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-console: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-console: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-folders",
      "tminus-finish: projects/kicks-test/roles/tminusSchedulesRemove on project",
      "tminus-finish: roles/cloudtasks.enqueuer on queue tminus-alerts",
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
      "tminus-send-alert: roles/datastore.user on project where only-tminus",
      "tminus-send-push: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-send-push: roles/cloudtasks.enqueuer on queue tminus-shards",
      "tminus-send-push: roles/datastore.user on project where only-tminus",
      "tminus-send-push: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-send-shard: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-send-shard: roles/datastore.user on project where only-tminus",
      "tminus-send-shard: roles/firebasecloudmessaging.admin on project",
      "tminus-send-shard: roles/iam.serviceAccountUser on account projects/kicks-test/serviceAccounts/tminus-task-caller@kicks-test.iam.gserviceaccount.com",
      "tminus-send-shard: roles/storage.objectViewer on bucket kicks-test-tminus-audiences where only-audiences-devices-folders",
      "tminus-send-test: roles/cloudtasks.enqueuer on queue tminus-alerts",
      "tminus-send-test: roles/datastore.user on project where only-tminus",
      "tminus-send-test: roles/firebasecloudmessaging.admin on project",
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
    condition     = alltrue([for api in values(google_project_service.this) : api.disable_on_destroy == false])
    error_message = "tearing down leaves on what the app may use"
  }
}

run "archive" {
  command = plan

  assert {
    condition     = google_storage_bucket_object.source[0].name == "source/${data.archive_file.source.output_sha256}.zip"
    error_message = "the archive's name contains the hash of its content"
  }

  assert {
    condition     = alltrue([for file in local.source_files : can(regex("^(main\\.py|requirements\\.txt|functions/.+|audience_jobs/.+)$", file)) && !strcontains(file, "__pycache__")])
    error_message = "only what runs is deployed"
  }

  assert {
    condition     = length(setsubtract(["main.py", "requirements.txt", "functions/handlers/jobs/tasks.py", "audience_jobs/contract.py", "audience_jobs/marketplace/tables.toml", "audience_jobs/marketplace/jobs/showcase.py", "audience_jobs/job_files/job.schema.json", "audience_jobs/workspace/tables.schema.json"], local.source_files)) == 0
    error_message = "all that runs is deployed"
  }

  assert {
    condition     = google_storage_bucket_object.source[0].deletion_policy == "ABANDON"
    error_message = "earlier archives stay, to go back to"
  }
}

run "without_a_workspace" {
  command = plan

  assert {
    condition     = !contains(keys(local.environment), "WORKSPACE") && length(local.workspace_files) == 0
    error_message = "functions use the built-in marketplace"
  }
}

run "a_workspace" {
  command = plan

  variables {
    workspace = "tests/workspace"
  }

  assert {
    condition = toset(keys(local.workspace_files)) == toset([
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
    condition = {
      for each in data.archive_file.source.source : each.filename => each.content if startswith(each.filename, "workspace/")
    } == local.workspace_files && local.workspace_files["workspace/models/people.sql"] == file("tests/workspace/models/people.sql")
    error_message = "the archive has their content, so that a changed file changes its hash"
  }

  assert {
    condition     = length(data.archive_file.source.source) == length(local.source_files) + length(local.workspace_files)
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
