# Builds recordwarden-VERSION.msi. Needs WiX 5 (dotnet tool install wix; wix extension add WixToolset.Util.wixext),
# Python 3.12 with pip, and Python's embeddable package unpacked in $Tree. Never run: docs/platforms.md.
param(
    [Parameter(Mandatory)] [string] $Tree,
    [Parameter(Mandatory)] [string] $Version
)
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true
Set-Location "$PSScriptRoot\..\.."

$site = Join-Path $Tree "Lib\site-packages"
python -m pip install --no-compile --only-binary :all: --require-hashes --target $site -r requirements.lock
python -m pip install --no-compile --no-deps --target $site .
# The embeddable Python looks only where this file says.
Set-Content (Join-Path $Tree "python312._pth") @("python312.zip", ".", "Lib\site-packages")
wix build packaging\windows\recordwarden.wxs -arch x64 -ext WixToolset.Util.wixext -d "Tree=$Tree" -d "Version=$Version" -o "build\recordwarden-$Version.msi"
