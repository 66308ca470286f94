"""Which options of a program take a value, as data: without it `git -C x push` would be the command `x`.

One record a program: its names, then what takes a value before the subcommand; `@verb` records add what does after that
one, `@*` after any other. `=guess`: its long options nearly all take a value, so an unknown one is read that way.
`=single`: `-auto-approve` is one option, not a cluster. `=stop`: options end at the next word that is none.
Longer lines go on indented.
"""

from __future__ import annotations

RECORDS = """
kubectl oc k kubecolor microk8s.kubectl | --as --as-group --as-uid --cache-dir --certificate-authority
    --client-certificate --client-key --cluster --context --kubeconfig --log-flush-frequency -n --namespace --password
    --profile --profile-output --request-timeout -s --server --tls-server-name --token --user --username --v -v
kubectl oc k kubecolor microk8s.kubectl @* | -L -c --chunk-size --clusterrole --container --current-replicas --env -f
    --field-manager --field-selector --filename --from-file --from-literal --grace-period --group --image -k
    --kustomize -l --label-columns --name -o --output --overrides -p --patch --pod-selector --port --raw --replicas
    --resource-version --restart --role --selector --serviceaccount --sort-by --subresource --target-port --template
    --timeout --to-revision --type
kubectl oc k kubecolor microk8s.kubectl @logs | -c --container -l --limit-bytes --selector --since --since-time --tail
kubectl oc k kubecolor microk8s.kubectl @delete | -L -c --chunk-size --clusterrole --container --current-replicas
    --env -f --field-manager --field-selector --filename --from-file --from-literal --grace-period --group --image -k
    --kustomize -l --label-columns --name -o --output --overrides --patch --pod-selector --port --raw --replicas
    --resource-version --restart --role --selector --serviceaccount --sort-by --subresource --target-port --template
    --timeout --to-revision --type
k3s microk8s minikube kind k3d | --cluster --kubeconfig -n --name -p --profile
helm | --burst-limit --ca-file --cert-file --description -f --history-max --key-file --kube-apiserver --kube-as-group
    --kube-as-user --kube-ca-file --kube-context --kube-tls-server-name --kube-token --kubeconfig --max -n --namespace
    -o --output --password --post-renderer --qps --registry-config --repo --repository-cache --repository-config --set
    --set-file --set-json --set-string --timeout --username --values --version
helmfile | -b -e --environment -f --file --helm-binary --kube-context --kubeconfig -l --log-level -n --namespace
    --selector --state-values-file --state-values-set
kustomize flux argocd velero istioctl linkerd kubeadm eksctl clusterctl rancher tkn argo =guess | --app-namespace
    --argocd-context --auth-token --cluster --config --context --grpc-web-root-path --kube-context --kubeconfig -l -n
    --name --namespace -o --output --profile --region --selector --server --timeout
docker podman nerdctl docker.io | -H --address -c --config --connection --context --host --identity -l --log-level -n
    --namespace --root --runroot --storage-driver --tlscacert --tlscert --tlskey --url
docker podman nerdctl docker.io @* | --build-arg --cache-from --driver --format --label --last --network --opt
    --output --platform --progress -s --secret --signal --since --ssh -t --tag --tail --target --time --until
docker podman nerdctl docker.io @run =stop | -a --add-host --annotation --attach --cap-add --cap-drop --cgroup-parent
    --cgroupns --cidfile --cpus --detach-keys --device --dns -e --entrypoint --env --env-file --expose --gpus
    --group-add -h --health-cmd --hostname --ip --ipc --isolation --label --label-file --link --log-driver --log-opt
    -m --memory --memory-swap --mount --name --net --network -p --pid --platform --publish --pull --restart --runtime
    --security-opt --shm-size --stop-signal --stop-timeout --sysctl --tmpfs -u --ulimit --user --userns --uts -v
    --volume --volume-driver --volumes-from -w --workdir
docker podman nerdctl docker.io @create =stop | -a --add-host --annotation --attach --cap-add --cap-drop --cgroup-parent
    --cgroupns --cidfile --cpus --detach-keys --device --dns -e --entrypoint --env --env-file --expose --gpus
    --group-add -h --health-cmd --hostname --ip --ipc --isolation --label --label-file --link --log-driver --log-opt
    -m --memory --memory-swap --mount --name --net --network -p --pid --platform --publish --pull --restart --runtime
    --security-opt --shm-size --stop-signal --stop-timeout --sysctl --tmpfs -u --ulimit --user --userns --uts -v
    --volume --volume-driver --volumes-from -w --workdir
docker podman nerdctl docker.io @exec =stop | --detach-keys -e --env --env-file -u --user -w --workdir
docker podman nerdctl docker.io @container | -a --add-host --annotation --attach --cap-add --cap-drop --cgroup-parent
    --cgroupns --cidfile --cpus --detach-keys --device --dns -e --entrypoint --env --env-file --expose --gpus
    --group-add -h --health-cmd --hostname --ip --ipc --isolation --label --label-file --link --log-driver --log-opt
    -m --memory --memory-swap --mount --name --net --network -p --pid --platform --publish --pull --restart --runtime
    --security-opt --shm-size --stop-signal --stop-timeout --sysctl --tmpfs -u --ulimit --user --userns --uts -v
    --volume --volume-driver --volumes-from -w --workdir
docker podman nerdctl docker.io @build | --build-arg --cache-from -f --file --label --network -o --output --platform
    --progress --secret --ssh -t --tag --target
docker podman nerdctl docker.io @rm |
docker podman nerdctl docker.io @ps | -f --filter --format --last
docker podman nerdctl docker.io @images | -f --filter --format
docker podman nerdctl docker.io @buildx | --build-arg --builder --cache-from --cache-to -f --file -o --output
    --platform -t --tag --target
docker podman nerdctl docker.io @stack | --compose-file --orchestrator
docker podman nerdctl docker.io @commit | -a --author --change -m --message
docker podman nerdctl docker.io @rmi |
docker podman nerdctl docker.io @compose | --ansi -e --entrypoint --env --env-file -f --file --name -p --parallel
    --profile --progress --project-directory --project-name --rmi --scale -t --timeout -u --user -v --volume -w
    --workdir
docker podman nerdctl docker.io @stop | -s --signal -t --time
docker podman nerdctl docker.io @kill | -s --signal
docker podman nerdctl docker.io @logs | --since --tail --until
docker podman nerdctl docker.io @service | --env --filter --format --image --mount --name --network --publish
    --replicas
docker-compose podman-compose | -H --ansi -c --context -e --env-file -f --file --host --name -p --parallel --profile
    --progress --project-directory --project-name --rmi --scale -t --timeout -u -w
buildah skopeo crane ctr crictl img oras regctl | -a --address --authfile -c --config --creds -i --image-endpoint -n
    --namespace -r --root --runtime-endpoint -t --timeout --tls-verify
lxc incus | -c --config --cwd -e --env --mode -n --name -p --profile --project -s --storage -t --target --type --user
vagrant | --name --provider --provision-with
git | -C --attr-source -c --config-env --exec-path --git-dir --list-cmds --namespace --super-prefix --work-tree
git @* | --author --contains --date --format --grep --max-count -n --points-at --pretty --since --sort --until
git @commit | -F --author --cleanup --date --file --fixup -m --message --pathspec-from-file --reedit-message
    --reuse-message --squash -t --template --trailer
git @tag | -F --cleanup --file --format --local-user -m --message --sort -u
git @push | --exec -o --push-option --receive-pack --repo --signed-by
git @fetch | --deepen --depth --filter -j --jobs -o --refmap --server-option --shallow-exclude --shallow-since
    --upload-pack
git @pull | -X --depth -j -o -s --strategy --strategy-option --upload-pack
git @clone | -b --branch --config --depth --filter -j --jobs -o --origin --reference --separate-git-dir
    --shallow-since --template -u --upload-pack
git @merge | -F -X --cleanup --file -m --message -s --strategy --strategy-option
git @rebase | -X --exec --onto -s --strategy --strategy-option --whitespace -x
git @cherry-pick | -X -m --mainline -s --strategy
git @revert | -X -m --mainline -s --strategy
git @stash | -m --message --pathspec-from-file
git @branch | --contains --format --merged --no-contains --no-merged --points-at --set-upstream-to --sort -u
git @checkout | -B -U -b --conflict --inter-hunk-context --orphan --pathspec-from-file --unified
git @switch | --conflict --create --force-create --orphan
git @restore | -U --conflict --inter-hunk-context --pathspec-from-file -s --source --unified
git @clean | -e --exclude
git @log | -G -L -S --after --author --before --committer --diff-filter --format --grep --max-count -n --pretty
    --since --until
git @config | --blob --default -f --file -t --type
git @worktree | -B -b --reason
git @filter-branch | --commit-filter -d --env-filter --index-filter --msg-filter --original --parent-filter
    --state-branch --subdirectory-filter --tag-name-filter --tree-filter
git @filter-repo | --blob-callback --commit-callback --mailmap --path --path-glob --path-regex --path-rename --refs
    --replace-text --source --strip-blobs-bigger-than --subdirectory-filter --target --to-subdirectory-filter
git @update-ref | -m
git @replace | --format
git @submodule | -b --branch --depth -j --name --reference
git @remote | -m -t
git @archive | --exec --format -o --output --prefix --remote
git @apply | --directory --exclude --include -p --whitespace
git @am | --directory --exclude --include -p --patch-format
git @notes | -F -m --ref
git @reflog | --expire --expire-unreachable
git @bisect | --term-new --term-old
git @send-email | --bcc --cc --from --smtp-pass --smtp-server --smtp-user --subject --to
gh | -R --hostname --repo
gh @* | -A -B -F -H -L -S -a --assignee -b --base --body --body-file -c --comment -d --description -e --env --head
    --jq --json -l --label --limit -m --milestone -n --name --notes --notes-file -o --org -p --project -q -r --ref -s
    --search --state -t --target --template --title -u --user -v --value --visibility
gh @api | -F -H -X --cache -f --field --header --input --jq --method -p --preview -q --raw-field -t --template
gh @secret | -a --app -b --body -e --env --env-file -f -o --org -r --repos -u -v --visibility
glab tea | -R -g --group --hostname --repo
glab tea @* | -F -H -X -a --assignee -b -d --description -f --field --header -l --label --login -m --message --method
    -n --name -s --source-branch -t --target-branch --title
aws awslocal =guess | --ca-bundle --cli-binary-format --cli-connect-timeout --cli-input-json --cli-input-yaml
    --cli-read-timeout --color --endpoint-url --output --profile --query --region
az =guess | -g -l --location -n --name -o --output --query --resource-group --subscription
az @* | --account-name -c --container-name -d --database --ids -s --server --vault-name
gcloud gcloud.cmd =guess | --access-token-file --account --billing-project --configuration --filter --flags-file
    --flatten --format --impersonate-service-account --location --project --region --trace-token --verbosity --zone
gsutil | -h -i -o -u
gsutil @* | -d -t
bq =guess | --api --bigqueryrc --credential_file --dataset_id --format --job_id --location --project_id
doctl linode-cli hcloud scw ibmcloud oci openstack exo vultr-cli vultr civo upctl aliyun tccli bluemix equinix metal
    confluent ccloud cockroach mongocli pscale neonctl neon turso astro databricks snow snowsql cf apx stripe twilio
    launchctl-cli sentry-cli datadog-ci newrelic pd statuspage circleci buildkite-agent drone fastly cfcli flarectl
    waypoint akamai =guess | -a --access-token --account --address --api-url --app -c --ca-cert --cluster --config
    --context -e --env --format -g -n --name --namespace -o --org --output -p --profile --project -r --region -t
    --token -u --zone
atlas supabase goose prisma drizzle-kit typeorm sequelize knex alembic flyway liquibase dbmate migrate sqlx | -c
    --config --connection -d --dataSource --database -database --db-url --dev-url -e --env --linked-project
    --migrations-dir -n --name -p --password --path -path --project-ref --schema --source -t --to --url --workdir -x
cloudflared tailscale zerotier-cli wg wg-quick ngrok | --authtoken --config --credentials-file --hostname --name
    --origincert --region --socket --url
wrangler | --account-id --binding -c --command --config --cwd --database -e --env --env-file --file --jurisdiction
    --name --namespace-id --preview --remote-name
nomad consul vault boundary =single | -address -ca-cert -client-cert -client-key -datacenter -field -format -header
    -http-addr -mfa -mount -namespace -output-policy -path -prefix -region -tls-server-name -token -var -var-file
    -wrap-ttl
packer =single | -except -on-error -only -parallel-builds -var -var-file
terraform tofu terragrunt opentofu =single | -backend-config -backup -from-module -lock-timeout -out -parallelism
    -plugin-dir --queue-exclude-dir --queue-include-dir -replace -state -state-out -target --terragrunt-config
    --terragrunt-exclude-dir --terragrunt-iam-role --terragrunt-include-dir --terragrunt-log-level --terragrunt-source
    --terragrunt-working-dir -var -var-file --working-dir
pulumi | -C -c --color --config --config-file --cwd -m --memprofilerate --message -p --parallel --policy-pack
    --profiling -r --replace -s --secrets-provider --stack -t --target --tracing -v --verbose
cdk cdktf sls serverless sam copilot amplify eb chalice zappa up ecs-cli =guess | -a --app --aws-profile -c --config
    --config-env --config-file --context -e --env -n --name -o --output -p --param --plugin --profile -r --region -s
    --s3-bucket --stack-name --stage -t --template --template-file
ansible ansible-playbook ansible-galaxy ansible-vault ansible-inventory | -B -M -P -T -a --args --background
    --become-method --become-user -c --connection -e --extra-vars -f --forks -i --inventory --key-file -l --limit -m
    --module-name --module-path -p --poll --private-key -r --roles-path --skip-tags --start-at-task -t --tags
    --timeout -u --user --vault-id --vault-password-file
salt salt-call salt-ssh puppet chef knife | -C -E -G -L -c --config --config-dir --environment -k --key -l --log-level
    --out -t --timeout -u --user -z
heroku dokku scalingo clever gigalixir render railway northflank | -a --alias --app -c --confirm -d --database -e
    --environment -f -n -o --org -p --pipeline -r --region --remote -s --service --space -t --team --type
fly flyctl | -a --access-token --app -c --config -e --env -i --image --machine -o --org --process-group -r --region -s
    --select -t
vercel now netlify firebase surge ntl | -A -P -Q -S -T --account --alias --auth -b --build-env --config --context
    --cwd -d --database --dir -e --env --environment --except -f --filter --functions --git-branch --global-config
    --instance --local-config -m --meta --only --project -s --scope --site -t --team --token
mysql mariadb mysqladmin mariadb-admin mysqldump mariadb-dump mysqlimport mysqlsh | -D -P -S --connect-timeout
    --database --default-character-set --defaults-extra-file --defaults-file --defaults-group-suffix --delimiter -e
    --execute -h --host --init-command --login-path --max-allowed-packet --pager --port --prompt --protocol --socket
    --ssl-ca --ssl-cert --ssl-key --ssl-mode --tee -u --user
psql | -F -L -P -R -T -U -c --command -d --dbname -f --field-separator --file -h --host --log-file -o --output -p
    --port --pset --record-separator --set --table-attr --username -v --variable
pg_dump pg_restore pg_dumpall createdb dropdb createuser dropuser vacuumdb reindexdb clusterdb pg_ctl pg_basebackup
    initdb | -D -E -F -N -O -S -T -U -Z --compress -d --dbname --encoding --exclude-schema --exclude-table -f --file
    --format -h --host -j --jobs -l --locale -m --maintenance-db --mode -n -o --options --owner -p --pgdata --port
    --role -s --schema --section --silent-port --superuser -t --table --username
mongo mongosh mongodump mongorestore mongoexport mongoimport | --archive-file --authenticationDatabase -c --collection
    -d --db --dir --eval -f --fields --file -h --host --nsExclude --nsInclude -o --out -p --password --port -q --query
    --tlsCAFile --type -u --uri --username
redis-cli valkey-cli keydb-cli | -D -a --cacert --cacertdir --cert --cluster-port --count -d --eval --functions-rdb -h
    -i --key -n -p --pass --pattern -r --rdb -s --show-pushes --sni -t -u --user
sqlite3 duckdb =single | -c -cmd -init -key -maxsize -mmap -newline -nullvalue -separator -vfs
sqlcmd bcp sqlplus osql isql | -P -Q -S -U -a -d -f -h -i -l -o -q -s -t -v -w
cqlsh clickhouse-client clickhouse influx cypher-shell arangosh couchbase-cli cbq | -a --address -b --bucket -c
    --cluster -d --database -e --execute -f --file -h --host -k --keyspace -n --name -o --org -p --password --port -q
    --query --request-timeout -t --token -u --user --username
kafka-topics kafka-topics.sh kafka-configs kafka-configs.sh kafka-consumer-groups kafka-consumer-groups.sh kafka-acls
    kafka-acls.sh kafka-delete-records.sh kcat rpk rabbitmqctl rabbitmqadmin nats | -H -P -X --add-config -b
    --bootstrap-server --brokers --command-config --config --delete-config --entity-name --entity-type --group --host
    -n --node --offset-json-file -p --partitions --port --principal --replication-factor -s --server -t --timeout
    --to-datetime --to-offset --topic -u --username --vhost --zookeeper
curl | -A -C -D -E -F -H -K -P -Q -T -U -X -Y --aws-sigv4 -b -c --cacert --capath --cert --cert-type --ciphers
    --config --connect-timeout --connect-to --continue-at --cookie --cookie-jar -d --data --data-ascii --data-binary
    --data-raw --data-urlencode --dns-servers --doh-url --dump-header -e --form --form-string --ftp-port --header
    --interface --json --key --key-type --limit-rate -m --max-filesize --max-redirs --max-time --netrc-file --noproxy
    -o --oauth2-bearer --output --output-dir --pass --proto --proxy --proxy-user --quote -r --range --rate --referer
    --request --request-target --resolve --retry --retry-delay --retry-max-time --stderr -t --tls-max --trace
    --trace-ascii -u --unix-socket --upload-file --url --url-query --user --user-agent -w --write-out -x -y -z
wget | -A -B -D -I -O -P -Q -R -T -U -X -a --accept --append-output --base --body-data --body-file --ca-certificate
    --directory-prefix --domains -e --execute --header -i --input-file -l --level --limit-rate --load-cookies --method
    -o --output-document --output-file --password --post-data --post-file --quota --referer --reject --save-cookies -t
    --timeout --tries --user --user-agent -w --wait
http https xh httpie | -A -a --auth --auth-type --boundary --cert --cert-key --default-scheme --max-redirects -o
    --output -p --print --proxy --raw -s --session --ssl --style --timeout --verify
ssh autossh mosh slogin =stop | -B -D -E -F -I -J -L -O -Q -R -S -W -b -c -e -i -l -m -o -p --port --ssh -w
scp sftp | -B -D -F -J -P -R -S -X -b -c -i -l -o
rsync | -B -M -T --backup-dir --bwlimit --chmod --chown --compare-dest --copy-dest -e --exclude --exclude-from -f
    --files-from --filter --groupmap --include --include-from --info --link-dest --log-file --max-delete --max-size
    --min-size --out-format --partial-dir --password-file --port --rsh --rsync-path --suffix --temp-dir --timeout
    --usermap
rclone | --addr --backup-dir --bwlimit --checkers --config --exclude --filter --filter-from --include --log-file
    --log-level --max-age --max-depth --max-size --min-age --min-size --pass --rc-addr --retries --stats --transfers
    --user
restic borg borgmatic kopia duplicity duplicacy rdiff-backup | -H -P -a -c --cache-dir --config --config-file -d -e
    --exclude --first --force-level --glob-archives --host --keep-daily --keep-hourly --keep-last --keep-monthly
    --keep-weekly --keep-within --keep-yearly --last -o --older-than --option -p --password-command --password-file
    --path --prefix -r --remote-path --repo --repository --rsh --tag
systemctl | -H -M -P --boot-loader-entry --check-inhibitors --drop-in --host --image --job-mode --kill-who --kill-whom
    --lines --machine --message -n -o --output -p --preset-mode --property --root -s --signal --state -t --timestamp
    --type --what --when
journalctl loginctl hostnamectl timedatectl machinectl networkctl resolvectl coredumpctl | -D -H -M -S -U -b --boot
    --directory -g --grep --host --identifier --kill-whom --lines --machine -n -o --output -p --priority -s --signal
    --since -t -u --unit --until --vacuum-files --vacuum-size --vacuum-time
service rc-service initctl sv |
launchctl security defaults tmutil diskutil hdiutil csrutil spctl scutil pmset dscl =single |
crontab | -u
npm pnpm yarn bun | -C -F --access --cache --cafile --config --cwd --dir --filter --global-folder --globalconfig
    --https-proxy --include --loglevel -m --message --modules-folder --network-concurrency --node-options --omit --otp
    --prefix --preid --proxy --registry --reporter --scope --script-shell --store-dir --tag --userconfig
    --virtual-store-dir -w --workspace
pip pip3 | -c --cache-dir --cert --client-cert --constraint -e --editable --extra-index-url -f --find-links -i
    --index-url --log --no-binary --only-binary --platform --prefix --progress-bar --proxy --python --python-version
    -r --requirement --retries --root --src -t --target --timeout --trusted-host --upgrade-strategy
cargo | -C -F -Z --bench --bin --branch --color --config --example --features --git --index -j --jobs --manifest-path
    -p --package --path --profile --registry --rev --root --tag --target --target-dir --test --token --vers --version
go =single | -C -asmflags -bench -count -coverprofile -exec -gcflags -ldflags -mod -modfile -o -overlay -p -pkgdir
    -run -tags -timeout -toolexec
gem bundle bundler rake rails | -C -P --bindir -d --directory -e --environment -f --gemfile --host -i --install-dir
    --jobs -k --key -n --otp --path --rakefile -s --source --trust-policy -v --version --with --without
composer | -d --prefer-install --repository --repository-url -s --stability --working-dir
dotnet nuget | --api-key -c --configfile --configuration --context -f --framework -k -o --output -p --project
    --property -r --runtime -s --source --startup-project -v --verbosity --version
mvn mvnw =single | -P -T --activate-profiles -f --file -gs -l --log-file -pl --projects -rf -s --settings --threads
gradle gradlew | -I -b --build-file -c --console --exclude-task -g --gradle-user-home --init-script --max-workers -p
    --project-cache-dir --project-dir --settings-file -x
make gmake just task | -C -I -W -d --directory -f --file --include-dir -j --jobs --justfile -l --makefile -o -t
    --taskfile --working-directory
apt apt-get aptitude dpkg nala | -a --admindir -c --config-file --default-release --host-architecture --instdir -o
    --option --root -t --target-release
dnf yum microdnf zypper rpm tdnf | -R -c --config -d --dbpath --disablerepo -e --enablerepo --exclude --forcearch
    --installroot -r --releasever --repo --root --setopt -x
pacman yay paru | --arch --assume-installed -b --cachedir --color --config --dbpath --gpgdir --hookdir --ignore -r
    --root
brew | --appdir --language
conda mamba micromamba pixi | -c --channel -e --environment -f --file --json-file --manifest-path -n --name -p
    --prefix --solver
find gfind =single | -amin -anewer -atime -cmin -cnewer -context -ctime -fls -fprint -fprint0 -fprintf -fstype -gid
    -group -ilname -iname -inum -ipath -iregex -links -lname -maxdepth -mindepth -mmin -mtime -name -newer -path -perm
    -printf -regex -regextype -samefile -size -type -uid -used -user -wholename -xtype
tar bsdtar gtar | -C -F -I -K -N -T -V -X -b --checkpoint-action --directory --exclude --exclude-from -f --file
    --files-from -g --group --info-script --label --listed-incremental --mode --mtime --newer --owner
    --strip-components --suffix --to-command --transform --use-compress-program --xform
dd |
chmod | --reference
chown chgrp | --from --reference
rm del erase rd ri |
kill | -n -q --queue -s --signal
pkill killall pgrep skill | -F -G -P -U -Z --context -g -n --ns -o --older-than --pidfile -s --signal -t -u --uid
    --user -y --younger-than
useradd usermod userdel adduser deluser groupadd groupmod groupdel | -G -K -P -R -Z -b --base-dir -c --comment -d -e
    --expiredate -f -g --gecos --gid --groups --home --inactive --ingroup -k -l --login -n --new-name -p --password
    --prefix --root -s --selinux-user --shell --skel -u --uid
chattr lsattr | -p -v
iptables ip6tables nft ufw firewall-cmd | -A --append -d --destination --dport -f --file -i --in-interface -j --jump
    -m --match -o --out-interface -p --protocol -s --source --sport --state -t --table -w --wait --zone
ip tc =single | -f -family -l -n -netns -rc
openssl java javac keytool jarsigner =single | -CAfile -alias -cert -classpath -config -connect -cp -days -in -inkey
    -jar -key -keyout -keystore -out -pass -passin -passout -servername -storepass -subj
code code-insiders cursor windsurf codium | --add-mcp --extensions-dir -g --goto --install-extension --locale --log
    --profile --sync --uninstall-extension --user-data-dir
claude codex gemini opencode aider | -C -a --add-dir --agent --allowedTools --append-system-prompt --ask-for-approval
    -c --cd --config --disallowedTools -i --image -m --mcp-config --model --output-format --permission-mode --profile
    --provider -r --resume -s --sandbox --settings
lvremove vgremove pvremove lvreduce lvresize lvcreate vgreduce | -L -S --config --devicesfile --extents -l -n --name
    --select --size
zfs zpool btrfs | -O -R -c -d -m -o -s -t -x
mdadm cryptsetup wipefs parted sgdisk gdisk fdisk sfdisk hdparm nvme | -L -Z -a --align -c --cipher -d --hash --header
    --key-file -l --level --namespace-id -o --offset --raid-devices -t --type --types -u --unit
schtasks reg sc wmic netsh bcdedit vssadmin diskpart wevtutil cipher format =single |
gpg gpg2 | --cipher-algo --command-fd --default-key --homedir --keyserver --local-user -o --output --passphrase
    --passphrase-file -r --recipient --status-fd -u
python python3 node ruby perl php =stop | -E -I -W -X -c -d -e --env-file --eval --import --inspect-port --loader -m -p
    --print -r --require
sh bash zsh dash ksh fish =stop | -C -O -c --init-file -o --rcfile
django-admin manage.py flask artisan symfony | -A --app --connection --database -e --em --env --path --pythonpath
    --seeder --settings -v --verbosity
op bw lpass pass gopass doppler infisical sops chamber | --account --age -c --cache-path --config --domain --env
    --fields --format --input-type --kms -o --out-file --output --output-type -p --path --pgp --project --projectId
    --scope --session -t --token --vault
svn hg fossil jj p4 bzr | -F -R -b --branch -c --change --config --cwd -d --date --file -l --logfile -m --message -p
    --password --port -r --repository --revision -u --user --username
WindowsPowerShell =shell | -path -literalpath -name -computername -filter -value -destination -itemtype -uri -outfile
    -scope -include -exclude -credential -id -argumentlist -filepath -command -property -type -displayname
"""
